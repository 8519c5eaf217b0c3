/** Compiles emitted projects together into one host program that checks every one of them against expected bytes. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Project } from '../../src/emit/project.ts';
import { type PushedFrames, pushFrames } from './pushed-frames.ts';
import { type PushedRows, pushFrame } from './pushed-rows.ts';

export interface EmittedCase {
  /** The project's C name, unique in the batch. */
  readonly name: string;
  readonly project: Project;
  /** Pairs of inputs and what must follow, as raw bytes: outputs, and states, which begin anew each time. */
  readonly samples: readonly {
    readonly inputs: readonly Uint8Array[];
    readonly outputs: readonly Uint8Array[];
    readonly states?: readonly Uint8Array[];
  }[];
  /** Where in the arena the states lie. */
  readonly stateOffsets?: readonly number[];
  /** In rows mode: the frame is also pushed row by row. */
  readonly pushed?: PushedRows;
  /** Over time: frames of one stream, and the outputs after each, null where no window ends. Then there are no samples. */
  readonly stream?: PushedFrames;
}

/** The flags every emitted project must survive. */
export const STRICT = ['-std=c99', '-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Wpedantic', '-Werror'];

export interface CompilerChoice {
  readonly command: 'gcc' | 'clang';
  readonly flags: readonly string[];
}

export function hasCommand(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Returns the names of the cases whose firmware computed something else; compiles strictly and throws on any warning. */
export function failuresOf(cases: readonly EmittedCase[], compiler: CompilerChoice): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'rivulet-emitted-'));
  try {
    const sources: string[] = [];
    for (const { name, project } of cases) {
      mkdirSync(join(folder, name));
      for (const [file, text] of project) {
        writeFileSync(join(folder, name, file), text);
        if (file.endsWith('.c') && file !== 'main.c') sources.push(join(name, file));
      }
    }
    writeFileSync(join(folder, 'main.c'), mainOf(cases));
    const options = {
      cwd: folder,
      encoding: 'utf8' as const,
      stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'],
    };
    execFileSync(compiler.command, [...STRICT, ...compiler.flags, ...sources, '-c'], options);
    const objects = sources.map((source) => source.replace(/^.*\//, '').replace(/\.c$/, '.o'));
    execFileSync(
      compiler.command,
      ['-std=c99', ...compiler.flags, 'main.c', ...objects, '-o', 'check'],
      options,
    );
    const output = execFileSync(join(folder, 'check'), options);
    if (!output.endsWith('done\n')) throw new Error(`the program stopped early:\n${output}`);
    return output.split('\n').slice(0, -2);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs every sample through caller-owned buffers, with a dirty arena; prints the name of each case that differs. */
function mainOf(cases: readonly EmittedCase[]): string {
  return [
    '#include <stdio.h>',
    '#include <string.h>',
    ...cases.map(({ name }) => `#include "${name}/${name}.h"`),
    ...cases.flatMap(({ name, samples }) =>
      samples.flatMap(({ inputs, outputs, states = [] }, s) => [
        ...inputs.map((bytes, i) => array(`${name}_in_${s}_${i}`, bytes)),
        ...outputs.map((bytes, i) => array(`${name}_expected_${s}_${i}`, bytes)),
        ...states.map((bytes, i) => array(`${name}_state_${s}_${i}`, bytes)),
      ]),
    ),
    'int main(void) {',
    ...cases.flatMap(streamLines),
    ...cases.flatMap((single) => single.samples.flatMap((sample, s) => check(single, sample, s))),
    '  puts("done");',
    '  return 0;',
    '}',
    '',
  ].join('\n');
}

function check(
  single: EmittedCase,
  { inputs, outputs, states = [] }: EmittedCase['samples'][number],
  s: number,
): string[] {
  const { name, pushed, stateOffsets = [] } = single;
  const pointers = [
    ...inputs.map((_, i) => `(const void *)${name}_in_${s}_${i}`),
    ...outputs.map((_, i) => `(void *)out_${i}`),
    '&arena',
  ];
  const compare = outputs.map(
    (bytes, i) => `    wrong |= memcmp(out_${i}, ${name}_expected_${s}_${i}, ${bytes.length});`,
  );
  const compareStates = states.map(
    (bytes, i) =>
      `    wrong |= memcmp(arena.bytes + ${stateOffsets[i]!}, ${name}_state_${s}_${i}, ${bytes.length});`,
  );
  return [
    '  {',
    `    static ${name}_arena arena;`,
    ...outputs.map((bytes, i) => `    static int out_${i}[${Math.ceil(bytes.length / 4)}];`),
    '    int wrong = 0;',
    `    memset(&arena, ${85 * (s + 1)}, sizeof arena);`,
    ...(pushed ? [...pushFrame(single, pushed, `${name}_in_${s}_0`, outputs), ...compare] : []),
    ...(states.length > 0 ? [`    wrong |= ${name}_reset(&arena);`] : []),
    `    wrong |= ${name}_run(${pointers.join(', ')});`,
    ...compare,
    ...compareStates,
    `    if (wrong) puts("${name} sample ${s}");`,
    '  }',
  ];
}

function streamLines({ name, stream }: EmittedCase): string[] {
  return stream === undefined ? [] : pushFrames(name, stream);
}

function array(name: string, bytes: Uint8Array): string {
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return `static const unsigned ${name}[] = {${[...words].join('u,')}u};`;
}
