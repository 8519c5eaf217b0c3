/**
 * `npm run measure:instructions`: runs layers with every kernel on every core in an emulator, for speed and for size, and
 * writes what was learnt to src/cost/instruction-counts.ts. Names of cores as arguments measure only those and keep the
 * others. Then `npm run build`, and test/cost says how good the new table is. Needs the cross-compilers and QEMU, no
 * models.
 */
import { writeFileSync } from 'node:fs';
import type { Optimize } from '../src/core/isa.ts';
import { INSTRUCTION_COUNTS } from '../src/cost/instruction-counts.ts';
import {
  type CoreInstructions,
  type InstructionCounts,
  kernelInstructions,
  unitsOf,
} from '../src/cost/instructions.ts';
import { requireCompiler } from '../src/run/toolchain.ts';
import { CORES, type Core } from '../src/targets/cores.ts';
import { fitKernel } from './kernels/fit.ts';
import { type MeasuredCall, measureCalls } from './kernels/measure.ts';
import { fitSamples } from './kernels/samples.ts';
import { literal } from './literal.ts';

const TABLE = 'src/cost/instruction-counts.ts';

function countsOf(mode: string, measured: readonly MeasuredCall[]): InstructionCounts {
  const byKernel = new Map<string, MeasuredCall[]>();
  for (const one of measured) byKernel.set(one.call.kernel, [...(byKernel.get(one.call.kernel) ?? []), one]);
  const kernels = [...byKernel]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([kernel, calls]) => {
      const cost = fitKernel(calls);
      const errors = calls.map(({ call, instructions }) => kernelInstructions(cost, call) / instructions - 1);
      const mean = errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length;
      console.log(`${mode}, ${kernel}: ${calls.length} layers, ${(100 * mean).toFixed(1)} % off in the mean`);
      return [kernel, cost] as const;
    });
  const sum = (value: (one: MeasuredCall) => number) =>
    measured.reduce((total, one) => total + value(one), 0);
  return {
    perMac: Number(
      (sum(({ instructions }) => instructions) / sum(({ call }) => unitsOf(call))).toPrecision(4),
    ),
    kernels: Object.fromEntries(kernels),
  };
}

async function measureMode(core: Core, optimize: Optimize): Promise<InstructionCounts> {
  const samples = fitSamples({ isas: core.isas, optimize });
  return countsOf(`${core.name} for ${optimize}`, await measureCalls(samples, core, optimize));
}

const emulated = CORES.filter((core) => core.machines.length > 0);
const wanted = process.argv.slice(2);
const compilers = new Set<string>();
const table: Record<string, CoreInstructions> = { ...INSTRUCTION_COUNTS };
for (const core of emulated) {
  compilers.add((await requireCompiler(core)).version);
  if (wanted.length > 0 && !wanted.includes(core.name)) continue;
  const [speed, size] = await Promise.all([measureMode(core, 'speed'), measureMode(core, 'size')]);
  table[core.name] = { speed, size };
}
writeFileSync(
  TABLE,
  [
    `/** Written by bench/measure-instructions.ts, with ${[...compilers].join(' and ')}. */`,
    '// biome-ignore-all lint/suspicious/noApproximativeNumericConstant: measured, whatever they resemble',
    "import type { CoreInstructions } from './instructions.ts';",
    '',
    `export const INSTRUCTION_COUNTS: Readonly<Record<string, CoreInstructions>> = ${literal(table)};`,
    '',
  ].join('\n'),
);
