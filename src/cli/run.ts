import type { Command } from 'commander';
import { describeOutputs, type OutputValues } from '../api.ts';
import { fail } from '../core/diagnostics.ts';
import { createExecutor } from '../run/executors.ts';
import { parseExecutor } from './executor.ts';
import {
  addInputOptions,
  addModelOptions,
  compileModel,
  type ModelOptions,
  readSources,
  type SourceOptions,
} from './model.ts';
import { EXIT, heading, printable, type Result, real, shapeText, table } from './output.ts';

interface Options extends ModelOptions, SourceOptions {
  readonly on: string;
}

export function addRun(program: Command, deliver: (result: Result) => void): void {
  addInputOptions(addModelOptions(program.command('run'), 'core or board, for --on qemu'))
    .argument('<model>', 'a .tflite file')
    .option('--on <executor>', 'reference, wasm, native or qemu (needs --target)', 'wasm')
    .summary('one inference, exactly as the firmware computes it')
    .description('Runs one inference and shows the raw outputs. All executors give the same bytes.')
    .action(async (path: string, options: Options) => {
      const { executor: name, target } = parseExecutor('--on', options.on, options.target);
      if (options.input === undefined) {
        fail('RV3002', 'no input is given', {
          origin: '--input',
          hint: 'name a .bin, .npy, .png or .jpg file, or try --input pattern',
        });
      }
      const compilation = await compileModel(path, { ...options, ...(target !== undefined && { target }) });
      const inputs = await readSources(compilation, options);
      const executor = await createExecutor(name, compilation);
      const [raw] = await executor.run([inputs]);
      const outputs = describeOutputs(compilation, raw!);
      const where = { executor: executor.name, machine: executor.machine };
      deliver({
        document: { ...where, outputs, warnings: compilation.warnings },
        text: `${heading(`${compilation.name} on ${executor.name}`)}\n${outputs.map(describeOutput).join('\n')}\n`,
        notes: compilation.warnings,
        exitCode: EXIT.ok,
      });
    });
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
