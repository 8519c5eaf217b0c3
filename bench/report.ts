/** The results of a benchmark, and how a page shows them. */
import type { Optimize } from '../src/core/isa.ts';
import type { Footprint } from './footprint.ts';
import { grouped, table } from './page.ts';

export interface Speed {
  readonly model: string;
  readonly macs: number;
  /** Milliseconds from the model's bytes to the files of the C project. */
  readonly compileMs: number;
  /** Milliseconds of one inference, as WebAssembly and built for this processor. */
  readonly wasmMs: number;
  readonly nativeMs: number;
}

export interface CoreFootprint extends Footprint {
  readonly model: string;
  readonly core: string;
}

/** Relative errors over all models. */
export interface ErrorSummary {
  readonly mean: number;
  readonly worst: number;
}

export interface Estimates {
  readonly core: string;
  readonly optimize: Optimize;
  readonly flash: ErrorSummary;
  readonly code: ErrorSummary;
}

export interface Results {
  readonly computer: string;
  /** First line of each tool's `--version`. */
  readonly tools: readonly string[];
  readonly speeds: readonly Speed[];
  readonly footprints: readonly CoreFootprint[];
  readonly estimates: readonly Estimates[];
}

/** The measured parts of docs/benchmarks.md, by the name between whose comments they stand. */
export function sectionsOf({
  computer,
  tools,
  speeds,
  footprints,
  estimates,
}: Results): Readonly<Record<string, string>> {
  const models = speeds.map(({ model }) => model);
  const cores = [...new Set(footprints.map(({ core }) => core))];
  const cell = (model: string, core: string, figure: keyof Footprint): string =>
    grouped(footprints.find((f) => f.model === model && f.core === core)![figure]);
  const byCore = (figure: keyof Footprint): string =>
    table(
      ['model', ...cores],
      models.map((model) => [model, ...cores.map((core) => cell(model, core, figure))]),
    );
  const speedTable = table(
    ['model', 'MACs', 'compile, ms', 'inference on wasm, ms', 'native, ms'],
    speeds.map(({ model, macs, compileMs, wasmMs, nativeMs }) => [
      model,
      grouped(macs),
      compileMs.toFixed(0),
      ...[wasmMs, nativeMs].map((ms) => ms.toFixed(ms < 1 ? 2 : 1)),
    ]),
  );
  return {
    speed: `Medians of several runs on ${computer}.\n\n${speedTable}`,
    tools: tools.map((tool) => `- ${tool}`).join('\n'),
    instructions: byCore('instructions'),
    flash: byCore('flash'),
    SRAM: byCore('sram'),
    stack: byCore('stack'),
    'flash estimates': table(
      ['core', 'optimised for', 'flash: mean', 'worst', 'code: mean', 'worst'],
      estimates.map(({ core, optimize, flash, code }) => [
        core,
        optimize,
        ...[flash.mean, flash.worst, code.mean, code.worst].map((error) => `${(100 * error).toFixed(1)} %`),
      ]),
    ),
  };
}
