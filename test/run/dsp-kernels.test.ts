/**
 * The instructions of DSP kernels, which computers have no use for: cases of each kernel on emulated cores. RIVULET_DSP=n
 * takes n cases of each and all cores; otherwise it is one case, on a Cortex-M4.
 */
import { describe, expect, it } from 'vitest';
import { emitProject } from '../../src/emit/project.ts';
import type { Graph } from '../../src/ir/types.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { OPS } from '../../src/ops/table.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Program } from '../../src/program/types.ts';
import { runFirmware } from '../../src/run/execute.ts';
import { buildFirmware } from '../../src/run/firmware.ts';
import { runReference } from '../../src/run/reference.ts';
import { canRun } from '../support/firmware.ts';
import { inputsFor } from '../support/inputs.ts';
import { KERNEL_SETS, lowered } from '../support/kernel-sets.ts';

const MOST = Number(process.env.RIVULET_DSP ?? 1);
const CORES = MOST > 1 ? ['cortex-m4', 'cortex-m7', 'cortex-m33'] : ['cortex-m4'];
const DSP_SETS = KERNEL_SETS.filter(({ isas }) => isas[0] === 'dsp');

interface Lowering {
  readonly graph: Graph;
  readonly program: Program;
  readonly plan: Plan;
}

const KERNELS = Object.values(OPS)
  .flatMap(({ kernels }) => (kernels === 'alias' ? [] : [...kernels]))
  .filter(({ isa }) => isa === 'dsp')
  .map(({ name }) => name);

const LOWERINGS: readonly Lowering[] = Object.values(ALL_CASES)
  .flat()
  .flatMap(({ graph }) => DSP_SETS.map((set) => ({ graph, ...lowered(graph, set) })));

function uses(kernel: string, { program }: Lowering): boolean {
  return program.calls.some((call) => call.kernel === kernel);
}

describe.each(CORES)('%s', (core) => {
  it.skipIf(!canRun(core)).each([...new Set(KERNELS)])('%s', { timeout: 60_000 * MOST }, async (kernel) => {
    const cases = LOWERINGS.filter((lowering) => uses(kernel, lowering)).slice(0, MOST);
    expect(cases).not.toEqual([]);
    for (const lowering of cases) {
      const samples = [1, 2, 3].map((seed) => inputsFor(lowering.graph, seed));
      const expected = samples.map((inputs) => runReference(lowering.graph, inputs));
      expect(await emulated(lowering, core, 'speed', samples)).toEqual(expected);
      expect(await emulated(lowering, core, 'size', samples)).toEqual(expected);
    }
  });
});

async function emulated(
  { program, plan }: Lowering,
  core: string,
  optimize: 'speed' | 'size',
  samples: readonly Uint8Array[][],
) {
  const firmware = await buildFirmware({
    files: emitProject(program, plan, { name: 'model', optimize, provenance: 'a case' }),
    name: 'model',
    inputBytes: program.inputs.map(({ bytes }) => bytes),
    outputBytes: program.outputs.map(({ bytes }) => bytes),
    layers: program.calls.length,
    core,
    optimize,
  });
  const { outputs } = await runFirmware(firmware, samples);
  return outputs;
}
