/** The results of a benchmark, and the page that shows them. */
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
      ['model', 'MACs', 'compile, ms', 'inference on wasm, ms', 'native, ms'],
      speeds.map(({ model, macs, compileMs, wasmMs, nativeMs }) => [
        model,
        grouped(macs),
        compileMs.toFixed(0),
        ...[wasmMs, nativeMs].map((ms) => ms.toFixed(ms < 1 ? 2 : 1)),
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
    '## Instructions before building',
    '',
    'How far the instructions that `rivulet compile` estimates lie from those that the emulator counts, in total for a',
    'model. The estimates are fitted to single layers (`npm run measure:instructions`); no layer was taken from these',
    'models. Written by `npm run bench:estimates`.',
    '',
    ...section('instruction estimates'),
    '',
    '## Latency',
    '',
    ...LATENCY,
    '',
    '## Kernels',
    '',
    'Instructions of a whole layer of four rows, what the layer does for each row included, by multiply-accumulate or by',
    'element of the output; compiled for speed, with room for scratch. The study measured hand-written kernels for one',
    'row, before this code existed; of two figures, the first is specialised for the shape. Written by',
    '`npm run bench:kernels`.',
    '',
    ...section('kernels'),
    '',
    ...TRAINING,
    '',
  ].join('\n');
}

/** Parts of the page that other programs write. */
export const SECTIONS = [
  'instruction estimates',
  'published engines',
  'published networks',
  'kernels',
  'training',
];

function section(name: string): string[] {
  return [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
}

const TRAINING: readonly string[] = [
  '## Training on the host',
  '',
  'Full training steps (forward, backward, update) of a MobileNetV2 of width 0.35 with strides fitted to 32x32x3, 10 classes,',
  'batch normalisation, SGD with momentum, float32, one thread: `bench/mobilenet.ts`. PyTorch trains the same network, in the',
  'faster of its two memory layouts. The best step of several rounds in which all take turns. Written by',
  '`npm run bench:train`.',
  '',
  ...section('training'),
];

const LATENCY: readonly string[] = [
  'A latency is estimated instructions times a constant of the core, the mean cycles an instruction (`cyclesPerInstruction`',
  "in src/targets/cores.ts), over the board's clock. The constants are a model made from published timings: code and data",
  'in memory without wait states, no cache. What that is worth can be seen where latencies of others are published for',
  'hardware: those in the README of TinyEngine for an STM32H743, a Cortex-M7 with caches and flash that waits (its clock is',
  'not stated; 480 MHz, the highest, is assumed). For mcunet-vww1 we counted the instructions of the same engines, in builds',
  'of our own with other optimisation, two of them for a Cortex-M4, so a few percent mean nothing here:',
  '',
  ...section('published engines'),
  '',
  'So cycles an instruction depend on the code, from 0.6 to 1.0, and the constant lies between. It was not fitted to these',
  'figures, and nothing here was measured on hardware by us. The cycles that TinyEngine takes for a MAC do not grow with the',
  'network, though its weights come to 0.4 MB in one and 1.7 MB in another: what memory costs is in them, but it does not',
  'decide. The last column is our estimate for the same networks, another engine with other kernels:',
  '',
  ...section('published networks'),
  '',
  'Take a latency as good to 40 % on a Cortex-M7 with its caches on: the least dense of the three engines above needed that',
  'much more than the constant says. On cores whose flash waits without a cache it is a',
  'lower bound: an STM32F4 at 168 MHz fetches 16 bytes of weights in six cycles, which its prefetcher hides only in',
  'part. Compare kernels, schedules and networks by it; measure on the board before promising a frame rate.',
];
