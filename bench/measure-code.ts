/**
 * `npm run measure:code`: builds firmware of every kernel for every core, for speed and for size, and writes what was
 * learnt to src/cost/code-sizes.ts. Names of cores as arguments measure only those and keep the others. Then `npm run build`, and test/cost says how good the new table is. Takes minutes;
 * needs the cross-compilers, no models.
 */
import { writeFileSync } from 'node:fs';
import type { Optimize } from '../src/core/isa.ts';
import { type CodeSizes, type CoreSizes, holds, type KernelSize } from '../src/cost/code-size.ts';
import { CODE_SIZES } from '../src/cost/code-sizes.ts';
import { layerFeatures, layerTexts } from '../src/cost/layer-code.ts';
import type { EmitContext } from '../src/emit/context.ts';
import { type KernelFunction, kernelFunctions } from '../src/emit/kernels.ts';
import { emitProject } from '../src/emit/project.ts';
import { buildFirmware } from '../src/run/firmware.ts';
import { requireCompiler } from '../src/run/toolchain.ts';
import { CORES, type Core } from '../src/targets/cores.ts';
import { fitConditions, leastSquares } from './code-size/fit.ts';
import { kernelSamples, type Sample, wholeSample } from './code-size/samples.ts';
import { type CodeSections, codeSections } from './code-size/sections.ts';
import { literal } from './literal.ts';

const TABLE = 'src/cost/code-sizes.ts';

/** Conditions under which compilers drop, unroll or vectorise code. Bounds and multipliers are mere numbers to them. */
function conditionsOn(field: string): string[] {
  if (/multiplier$|shift$|min$|max$/.test(field)) return [];
  if (/zero_point$/.test(field)) return [`${field}=0`, `${field}=-128`];
  return [`${field}=0`, `${field}=1`, `${field}%2`, `${field}%4`, `${field}%16`];
}

interface Measurement {
  readonly sample: Sample;
  readonly sections: CodeSections;
  readonly functions: readonly KernelFunction[];
  readonly layers: readonly string[];
}

async function measure(sample: Sample, core: Core, optimize: Optimize): Promise<Measurement> {
  const { name, program, plan } = sample;
  const options = { name, optimize, provenance: 'a sample of code' };
  const context: EmitContext = { ...options, program, plan, macro: name.toUpperCase() };
  const firmware = await buildFirmware({
    files: emitProject(program, plan, options),
    ...{ name, optimize, core: core.name, layers: program.calls.length },
    inputBytes: program.inputs.map((port) => port.bytes),
    outputBytes: program.outputs.map((port) => port.bytes),
  });
  const sections = await codeSections(firmware);
  return {
    ...{ sample, sections },
    functions: kernelFunctions(context),
    layers: layerTexts(context),
  };
}

async function measureMode(core: Core, optimize: Optimize, library: Map<string, number>): Promise<CodeSizes> {
  const choice = { isas: core.isas, optimize };
  const each: Measurement[] = [];
  for (const sample of kernelSamples(choice)) each.push(await measure(sample, core, optimize));
  for (const { sections } of each) for (const [part, bytes] of sections.library) library.set(part, bytes);
  // For size, kernels share functions, so that what they take must be seen where all of them are together.
  const sources = optimize === 'size' ? [await measure(wholeSample(choice), core, optimize)] : each;
  const everywhere = [...each[0]!.sections.library.keys()].filter((part) =>
    each.every(({ sections }) => sections.library.has(part)),
  );
  const kernels: Record<string, KernelSize> = {};
  for (const { sample, sections } of each) {
    const needed = [...sections.library.keys()].filter((part) => !everywhere.includes(part));
    const runtime = [...sections.runtime.keys()];
    kernels[sample.name] = {
      ...kernelSize(sample.name, sources),
      ...(runtime.length > 0 && { runtime: runtime.sort() }),
      ...(needed.length > 0 && { library: needed.sort() }),
    };
  }
  return {
    run: round(fitRun(each)) as [number, number, number],
    layer: round(fitLayers(each)),
    shared: Math.max(0, ...sources.map(sharedBytes)),
    kernels,
    runtime: runtimeSizes(each),
    library: everywhere.sort(),
  };
}

function kernelSize(kernel: string, measurements: readonly Measurement[]): KernelSize {
  const sizes: number[] = [];
  const geometries: Readonly<Record<string, number>>[] = [];
  for (const { sample, functions, sections } of measurements) {
    for (const { source, name, calls } of functions.filter((f) => f.source.name === kernel)) {
      const bytes = sections.own.get(name.slice(sample.name.length + 1));
      // A function that equals another is only a jump to it, or nothing.
      if (source.name !== kernel || bytes === undefined || bytes <= 8) continue;
      sizes.push(bytes);
      geometries.push(sample.program.calls[calls[0]!]!.geometry);
    }
  }
  const conditions = Object.keys(geometries[0]!).flatMap(conditionsOn);
  const { bytes, terms } = fitConditions(sizes, conditions, (condition, i) =>
    holds(condition, geometries[i]!),
  );
  return Object.keys(terms).length > 0 ? { bytes, terms } : { bytes };
}

function fitRun(measurements: readonly Measurement[]): number[] {
  return leastSquares(
    measurements.map(({ sample: { program } }) => [
      1,
      program.calls.length,
      program.inputs.length + program.outputs.length,
    ]),
    measurements.map(({ sections }) => sections.own.get('run')!),
  );
}

function fitLayers(measurements: readonly Measurement[]): number[] {
  const rows: number[][] = [];
  const sizes: number[] = [];
  for (const { sample, sections, layers } of measurements) {
    sample.plan.schedule.forEach(({ call }, i) => {
      const bytes = sections.own.get(`layer_${call}`);
      if (bytes === undefined) return;
      rows.push(layerFeatures(layers[i]!));
      sizes.push(bytes);
    });
  }
  return leastSquares(rows, sizes);
}

/** Each function of the runtime where it is largest. */
function runtimeSizes(measurements: readonly Measurement[]): Record<string, number> {
  const sizes = new Map<string, number>();
  for (const { sections } of measurements)
    for (const [name, bytes] of sections.runtime) sizes.set(name, Math.max(bytes, sizes.get(name) ?? 0));
  return Object.fromEntries([...sizes].sort());
}

/** What is neither a kernel nor a layer nor NAME_run. */
function sharedBytes({ sample, sections, functions }: Measurement): number {
  const kernels = new Set(functions.map(({ name }) => name.slice(sample.name.length + 1)));
  let bytes = 0;
  for (const [name, size] of sections.own) {
    if (name.startsWith('.text') && !kernels.has(name)) bytes += size;
  }
  return bytes;
}

function round(numbers: readonly number[]): number[] {
  return numbers.map((x) => Math.round(x * 10) / 10);
}

async function measureCore(core: Core): Promise<CoreSizes> {
  const library = new Map<string, number>();
  const [speed, size] = await Promise.all([
    measureMode(core, 'speed', library),
    measureMode(core, 'size', library),
  ]);
  return { speed, size, library: Object.fromEntries([...library].sort()) };
}

const cores = CORES.filter((core) => core.machines.length > 0);
const compilers = new Set<string>();
const wanted = process.argv.slice(2);
const table: Record<string, CoreSizes> = { ...CODE_SIZES };
for (const core of cores) {
  compilers.add((await requireCompiler(core)).version);
  if (wanted.length > 0 && !wanted.includes(core.name)) continue;
  table[core.name] = await measureCore(core);
  console.log(`${core.name} measured`);
}
writeFileSync(
  TABLE,
  [
    `/** Written by bench/measure-code.ts, with ${[...compilers].join(' and ')}. */`,
    "import type { CoreSizes } from './code-size.ts';",
    '',
    `export const CODE_SIZES: Readonly<Record<string, CoreSizes>> = ${literal(table)};`,
    '',
  ].join('\n'),
);
