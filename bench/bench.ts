/**
 * `npm run bench`: how fast the tool is here, what every model at hand costs on every core, and how close the estimates
 * of a compilation come. Writes bench/results.json and its parts of docs/benchmarks.md; takes minutes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { type Compilation, run } from '../src/api.ts';
import type { Optimize } from '../src/core/isa.ts';
import { runFirmware } from '../src/run/execute.ts';
import { firmwareRequest } from '../src/run/executors.ts';
import { buildFirmware } from '../src/run/firmware.ts';
import { canRun, detectToolchains, toolsFor } from '../src/run/toolchain.ts';
import { CORES, type Core } from '../src/targets/cores.ts';
import { compileFor, flashBytes, footprint, patternInputs } from './footprint.ts';
import { type BenchModel, modelsAtHand } from './models.ts';
import { replaceBetween } from './page.ts';
import { type CoreFootprint, type Estimates, type Results, type Speed, sectionsOf } from './report.ts';

const PAGE = 'docs/benchmarks.md';

const COMPILE_RUNS = 5;
const INFERENCE_RUNS = 9;
const NATIVE_SAMPLES = 50;

/** Milliseconds: the median of several runs after one that does not count. */
async function medianMs(runs: number, work: () => unknown): Promise<number> {
  await work();
  const times: number[] = [];
  for (let i = 0; i < runs; ++i) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[runs >> 1]!;
}

/** Milliseconds of one inference in the native executor: what more samples add to a run of the program. */
async function nativeMs(compilation: Compilation, inputs: readonly Uint8Array[]): Promise<number> {
  const firmware = await buildFirmware(firmwareRequest(compilation, 'host'));
  const timed = (samples: number): Promise<number> =>
    medianMs(INFERENCE_RUNS, () => runFirmware(firmware, new Array(samples).fill(inputs)));
  return ((await timed(1 + NATIVE_SAMPLES)) - (await timed(1))) / NATIVE_SAMPLES;
}

async function speedOf(model: BenchModel): Promise<Speed> {
  const compilation = compileFor(model, 'host', 'speed');
  const inputs = patternInputs(compilation);
  return {
    model: model.name,
    macs: compilation.report.macs,
    compileMs: await medianMs(COMPILE_RUNS, () => compileFor(model, 'host', 'speed')),
    wasmMs: await medianMs(INFERENCE_RUNS, () => run(compilation, inputs)),
    nativeMs: await nativeMs(compilation, inputs),
  };
}

async function footprintOf(model: BenchModel, { name: core }: Core): Promise<CoreFootprint> {
  return { model: model.name, core, ...(await footprint(compileFor(model, core, 'speed'), core)) };
}

/** Relative errors of one compilation's estimates. */
async function estimateErrors(
  compilation: Compilation,
  core: string,
): Promise<{ flash: number; code: number }> {
  const { memory } = await buildFirmware(firmwareRequest(compilation, core));
  const { flash } = compilation.report;
  return {
    flash: Math.abs(flash.total / flashBytes(memory!) - 1),
    code: Math.abs(flash.code / memory!.flash.text - 1),
  };
}

async function estimatesFor(
  models: readonly BenchModel[],
  core: string,
  optimize: Optimize,
): Promise<Estimates> {
  const errors: { flash: number; code: number }[] = [];
  for (const model of models) errors.push(await estimateErrors(compileFor(model, core, optimize), core));
  const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const [flash, code] = [errors.map((e) => e.flash), errors.map((e) => e.code)];
  return {
    ...{ core, optimize },
    flash: { mean: mean(flash), worst: Math.max(...flash) },
    code: { mean: mean(code), worst: Math.max(...code) },
  };
}

const models = modelsAtHand();
const cores: Core[] = [];
for (const core of CORES) if (core.machines.length > 0 && (await canRun(core))) cores.push(core);
const { tools } = await detectToolchains();

const speeds: Speed[] = [];
for (const model of models) speeds.push(await speedOf(model));
const footprints: CoreFootprint[] = [];
const estimates: Estimates[] = [];
for (const core of cores) {
  console.log(`${core.name} ...`);
  for (const model of models) footprints.push(await footprintOf(model, core));
  for (const optimize of ['speed', 'size'] as const)
    estimates.push(await estimatesFor(models, core.name, optimize));
}
const results: Results = {
  computer: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}`,
  tools: [...new Set(cores.flatMap(toolsFor).map((name) => tools[name].version))],
  speeds,
  footprints,
  estimates,
};
writeFileSync('bench/results.json', `${JSON.stringify(results, null, 2)}\n`);
const page = Object.entries(sectionsOf(results)).reduce(
  (text, [name, section]) => replaceBetween(text, name, section),
  readFileSync(PAGE, 'utf8'),
);
writeFileSync(PAGE, page);
console.log(page);
