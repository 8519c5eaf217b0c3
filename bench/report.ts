/** The results of a benchmark, and the page that shows them. */
import type { Optimize } from '../src/core/isa.ts';
import type { Footprint } from './footprint.ts';
import { grouped, table } from './page.ts';

export interface Speed {
  readonly model: string;
  readonly macs: number;
  /** Milliseconds from the model's bytes to the files of the C project. */
  readonly compileMs: number;
  /** Milliseconds of one inference. */
  readonly wasmMs: number;
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

export function markdown({ computer, tools, speeds, footprints, estimates }: Results): string {
  const models = speeds.map(({ model }) => model);
  const cores = [...new Set(footprints.map(({ core }) => core))];
  const cell = (model: string, core: string, figure: keyof Footprint): string =>
    grouped(footprints.find((f) => f.model === model && f.core === core)![figure]);
  const byCore = (figure: keyof Footprint): string =>
    table(
      ['model', ...cores],
      models.map((model) => [model, ...cores.map((core) => cell(model, core, figure))]),
    );
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench`; do not edit. Models are compiled with `--optimize speed --schedule whole`.',
    '',
    '## The tool itself',
    '',
    `Medians of several runs on ${computer}.`,
    '',
    table(
      ['model', 'MACs', 'compile, ms', 'inference on wasm, ms'],
      speeds.map(({ model, macs, compileMs, wasmMs }) => [
        model,
        grouped(macs),
        compileMs.toFixed(0),
        wasmMs.toFixed(wasmMs < 10 ? 1 : 0),
      ]),
    ),
    '',
    '## The firmware',
    '',
    'Measured on linked programs that ran in an emulator, which counts instructions exactly and knows nothing of a',
    "pipeline's cycles. Built and run with:",
    '',
    ...tools.map((tool) => `- ${tool}`),
    '',
    '### Instructions of one inference',
    '',
    byCore('instructions'),
    '',
    '### Flash, bytes: code and constants',
    '',
    byCore('flash'),
    '',
    '### SRAM, bytes: inputs, outputs, activations, scratch and static data',
    '',
    byCore('sram'),
    '',
    '### Stack, bytes: the deepest use during an inference, beside the SRAM above',
    '',
    byCore('stack'),
    '',
    '## Flash before building',
    '',
    'How far the flash that `rivulet compile` states lies from the linked program, over all models above. Constants are',
    'counted; code is estimated.',
    '',
    table(
      ['core', 'optimised for', 'flash: mean', 'worst', 'code: mean', 'worst'],
      estimates.map(({ core, optimize, flash, code }) => [
        core,
        optimize,
        ...[flash.mean, flash.worst, code.mean, code.worst].map((error) => `${(100 * error).toFixed(1)} %`),
      ]),
    ),
    '',
  ].join('\n');
}
