import type { Command } from 'commander';
import { type Comparison, compareExecutors } from '../run/compare.ts';
import { createExecutor } from '../run/executors.ts';
import { parseExecutor } from './executor.ts';
import {
  addInputOptions,
  addModelOptions,
  compileModel,
  MODEL_HELP,
  type ModelOptions,
  readSources,
  type SourceOptions,
} from './model.ts';
import { count, EXIT, printable, type Result } from './output.ts';

interface Options extends ModelOptions, SourceOptions {
  readonly a: string;
  readonly b: string;
}

export function addDiff(program: Command, deliver: (result: Result) => void): void {
  addInputOptions(addModelOptions(program.command('diff'), 'core or board, for qemu'))
    .argument('<model>', MODEL_HELP)
    .requiredOption('--a <executor>', 'reference, wasm, native, qemu or qemu:CORE')
    .requiredOption('--b <executor>', 'what to compare it with')
    .summary('the first layer and element where two executors differ')
    .description(
      'Compares every layer of one inference, by default of the pattern. Ends with 4 if the executors differ.',
    )
    .action(async (path: string, options: Options) => {
      const [a, b] = [
        await prepare(path, '--a', options.a, options),
        await prepare(path, '--b', options.b, options),
      ];
      const inputs = a.compilation.program.sliding
        ? []
        : await readSources(a.compilation, options, ['pattern']);
      const comparison = await compareExecutors(a.compilation.program, a.executor, b.executor, inputs);
      const { warnings } = a.compilation;
      deliver({
        document: { a: a.executor.name, b: b.executor.name, ...comparison, warnings },
        text: `${describe(comparison, a.executor.name, b.executor.name)}\n`,
        notes: warnings,
        exitCode: comparison.identical ? EXIT.ok : EXIT.differs,
      });
    });
}

/** Each side is compiled for its own core. */
async function prepare(path: string, option: string, text: string, options: Options) {
  const { executor: name, target } = parseExecutor(option, text, options.target);
  const compilation = await compileModel(path, { ...options, ...(target !== undefined && { target }) });
  return { compilation, executor: await createExecutor(name, compilation) };
}

function describe({ difference, layers }: Comparison, a: string, b: string): string {
  if (difference === null)
    return `${a} and ${b} agree on every byte of ${count(layers)} layers and the outputs`;
  const { kind, index, op, name, element, position, shape, differing, elements } = difference;
  return [
    `${a} and ${b} first differ in ${kind} ${index} ${op} "${printable(name)}" of shape [${shape.join(', ')}]`,
    `element ${count(element)} at [${position.join(', ')}]: ${a} ${difference.a}, ${b} ${difference.b}`,
    `${count(differing)} of ${count(elements)} elements differ`,
  ].join('\n');
}
