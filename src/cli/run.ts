import type { Command } from 'commander';
import { describeOutputs, type OutputValues } from '../api.ts';
import { fail } from '../core/diagnostics.ts';
import { createExecutor } from '../run/executors.ts';
import { parseExecutor } from './executor.ts';
import {
  addInputOptions,
  addModelOptions,
  compileModel,
  MODEL_HELP,
  type ModelOptions,
  readSamples,
  type SourceOptions,
} from './model.ts';
import { count, EXIT, heading, printable, type Result, real, shapeText, table } from './output.ts';

interface Options extends ModelOptions, SourceOptions {
  readonly on: string;
}

export function addRun(program: Command, deliver: (result: Result) => void): void {
  addInputOptions(addModelOptions(program.command('run'), 'core or board, for --on qemu'))
    .argument('<model>', MODEL_HELP)
    .option('--on <executor>', 'reference, wasm, native or qemu (needs --target)', 'wasm')
    .summary('one inference, exactly as the firmware computes it')
    .description(
      'Runs one inference and shows the raw outputs; with --stream-axis time, one for each window of the frames in --input. All executors give the same bytes.',
    )
    .action(async (path: string, options: Options) => {
      const { executor: name, target } = parseExecutor('--on', options.on, options.target);
      if (options.input === undefined) {
        fail('RV3002', 'no input is given', {
          origin: '--input',
          hint: 'name a .bin, .npy, .png or .jpg file, or try --input pattern',
        });
      }
      const compilation = await compileModel(path, { ...options, ...(target !== undefined && { target }) });
      const samples = await readSamples(compilation, options);
      const executor = await createExecutor(name, compilation);
      const results = await executor.run(samples);
      const where = { executor: executor.name, machine: executor.machine };
      const title = heading(`${compilation.name} on ${executor.name}`);
      const windows = results.flatMap((raw, i) =>
        raw.length === 0 ? [] : [{ frames: i + 1, outputs: describeOutputs(compilation, raw) }],
      );
      const { outputs } = windows[0]!;
      const overTime = compilation.program.sliding !== undefined;
      deliver({
        document: { ...where, ...(overTime ? { windows } : { outputs }), warnings: compilation.warnings },
        text: `${title}\n${(overTime ? describeWindows(windows) : outputs.map(describeOutput)).join('\n')}\n`,
        notes: compilation.warnings,
        exitCode: EXIT.ok,
      });
    });
}

interface Window {
  /** Frames pushed until it was complete. */
  readonly frames: number;
  readonly outputs: readonly OutputValues[];
}

/** A table for each output: the largest value of every window. */
function describeWindows(windows: readonly Window[]): string[] {
  return windows[0]!.outputs.flatMap(({ name, dtype, shape, scale, zeroPoint }, index) => [
    `output "${printable(name)}" ${dtype} ${shapeText(shape)} by window (--json has all values)`,
    table(
      ['after frame', 'largest', 'value', ...(scale === null ? [] : ['real'])].map((title) => ({
        title,
        right: true,
      })),
      windows.map(({ frames, outputs }) => {
        const { values } = outputs[index]!;
        const largest = values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
        const value = values[largest]!;
        const reals = scale === null || zeroPoint === null ? [] : [real(scale * (value - zeroPoint))];
        return [count(frames), String(largest), real(value), ...reals];
      }),
    ),
  ]);
}

/** Longer outputs show their largest values only. */
const SHOWN = 16;

export function describeOutput({ name, shape, dtype, scale, zeroPoint, values }: OutputValues): string {
  const quantised = scale !== null && zeroPoint !== null;
  const type = `output "${printable(name)}" ${dtype} ${shapeText(shape)}`;
  const order = values.map((_, i) => i);
  const largest = [...order].sort((a, b) => values[b]! - values[a]! || a - b);
  const shown = values.length <= SHOWN ? order : largest.slice(0, 5);
  const rows = shown.map((i) => [
    String(i),
    real(values[i]!),
    ...(quantised ? [real(scale * (values[i]! - zeroPoint))] : []),
    i === largest[0] ? 'largest' : '',
  ]);
  const columns = ['index', 'value', ...(quantised ? ['real'] : []), ''];
  return [
    quantised ? `${type}, scale ${real(scale)}, zero point ${zeroPoint}` : type,
    table(
      columns.map((title) => ({ title, right: title !== '' })),
      rows,
    ),
    ...(shown.length < values.length
      ? [`(the ${shown.length} largest of ${values.length}; --json has them all)`]
      : []),
  ].join('\n');
}
