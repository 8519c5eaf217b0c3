/** The C harness around a model: where its sources lie, and the glue that is generated for each model and machine. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail } from '../core/diagnostics.ts';
import type { Core, Machine } from '../targets/index.ts';

/** The harness folder of this package, found from a source tree and from a build of it alike. */
function findHarness(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'harness');
    if (existsSync(join(candidate, 'main.c'))) return candidate;
    if (folder === dirname(folder)) fail('RV3004', 'the harness folder is missing from this installation');
  }
}

/** Path of a file of the harness. */
export function harnessFile(name: string): string {
  return join(findHarness(), name);
}

/** The C files of the harness for a core. */
export function harnessSources(core: Core): readonly string[] {
  switch (core.toolchain) {
    case 'host':
      return ['main.c', 'port_host.c'];
    case 'arm':
      return ['main.c', 'port_semihosting.c', 'start_cortex_m.c'];
    case 'riscv':
      return ['main.c', 'port_semihosting.c', 'start_riscv.c'];
  }
}

/** Every file that the harness of any core consists of. */
export const HARNESS_FILES = [
  'main.c',
  'port.h',
  'port_host.c',
  'port_semihosting.c',
  'sections.ld',
  'semihosting.h',
  'start_cortex_m.c',
  'start_riscv.c',
] as const;

/** So many bytes from there on in the arena. */
export interface ArenaBytes {
  readonly at: number;
  readonly bytes: number;
}

/** What the harness must know of a model: the prefix of its names and the bytes of each input and output. */
export interface ModelInterface {
  readonly name: string;
  readonly inputBytes: readonly number[];
  readonly outputBytes: readonly number[];
  /** What a run yields instead of the model's outputs: any bytes of the arena, states and a loss among them. */
  readonly reads?: readonly ArenaBytes[];
  /** Of a model that trains. */
  readonly training?: TrainingInterface;
}

/**
 * A sample of a step is label int32, rate float32 and the image, of an inference the image alone. The arena lives from one
 * sample to the next.
 */
export interface TrainingInterface {
  readonly does: 'inference' | 'step';
  /** The function that takes a step, with the parameters of NAME_train_step, which it is by default. */
  readonly stepFunction?: string;
}

/** The header through which main.c sees a model. The sizes we will feed and read are checked against the model's own. */
export function modelGlue(model: ModelInterface): string {
  const { name, inputBytes, outputBytes, reads, training } = model;
  if (training !== undefined) return trainingGlue(model, training);
  const upper = name.toUpperCase();
  const slots = (kind: 'INPUT' | 'OUTPUT', count: number) =>
    Array.from(
      { length: count },
      (_, i) => ` X(${upper}_${kind}_${i}_OFFSET, ${upper}_${kind}_${i}_BYTES)`,
    ).join('');
  const checks = (kind: 'INPUT' | 'OUTPUT', sizes: readonly number[]) => [
    `_Static_assert(${upper}_${kind}_COUNT == ${sizes.length}, "number of ${kind}s");`,
    ...sizes.map(
      (bytes, i) => `_Static_assert(${upper}_${kind}_${i}_BYTES == ${bytes}, "size of ${kind} ${i}");`,
    ),
  ];
  const nulls = (count: number) => '0, '.repeat(count);
  return [
    `#include "${name}.h"`,
    ...checks('INPUT', inputBytes),
    ...checks('OUTPUT', outputBytes),
    `#define HARNESS_ARENA ${name}_arena`,
    `#if defined(${upper}_HOP_FRAMES)`,
    '/* A sample is a frame of one stream, so the arena lives from one to the next. */',
    `#define HARNESS_FRAME ${upper}_INPUT_0_BYTES`,
    `#define HARNESS_BEGIN(arena) ${name}_begin(arena)`,
    `#define HARNESS_RUN(frame, arena) (${name}_push_frame(frame, ${nulls(outputBytes.length)}arena) < 0)`,
    `#define HARNESS_INPUTS(X) X(0, ${upper}_INPUT_0_BYTES)`,
    `#elif defined(${upper}_INPUT_0_ROWS)`,
    "/* Rows are pushed: the frame is the application's, which here is the harness. */",
    `#define HARNESS_FRAME ${upper}_INPUT_0_BYTES`,
    `#define HARNESS_RUN(frame, arena) ${name}_run(frame, ${nulls(outputBytes.length)}arena)`,
    `#define HARNESS_INPUTS(X) X(0, ${upper}_INPUT_0_BYTES)`,
    '#else',
    `#if defined(${upper}_KEEPS_STATE)`,
    `#define HARNESS_BEGIN(arena) ${name}_reset(arena)`,
    '#endif',
    `#define HARNESS_RUN(frame, arena) ${name}_run(${nulls(inputBytes.length + outputBytes.length)}arena)`,
    `#define HARNESS_INPUTS(X)${slots('INPUT', inputBytes.length)}`,
    '#endif',
    reads ? placed(reads) : `#define HARNESS_OUTPUTS(X)${slots('OUTPUT', outputBytes.length)}`,
    '',
  ].join('\n');
}

function placed(reads: readonly ArenaBytes[]): string {
  return `#define HARNESS_OUTPUTS(X)${reads.map(({ at, bytes }) => ` X(${at}, ${bytes})`).join('')}`;
}

function trainingGlue(
  model: ModelInterface,
  { does, stepFunction = `${model.name}_train_step` }: TrainingInterface,
): string {
  const { name, inputBytes, reads = [] } = model;
  const upper = name.toUpperCase();
  const before = does === 'step' ? 8 : 0;
  const image = `(const ${upper}_INPUT_0_TYPE *)(const void *)((const uint8_t *)(sample) + ${before})`;
  let at = 0;
  const inputs = inputBytes.map((bytes) => {
    at += bytes;
    return ` X(${at - bytes}, ${bytes})`;
  });
  const step = `*(const int32_t *)(sample), *((const float *)(sample) + 1), 0`;
  return [
    `#include "${name}.h"`,
    `_Static_assert(${upper}_INPUT_0_BYTES + ${before} == ${at}, "size of a sample");`,
    `#define HARNESS_ARENA ${name}_arena`,
    `#define HARNESS_FRAME ${at}`,
    `#define HARNESS_BEGIN(arena) ${name}_reset(arena)`,
    does === 'step'
      ? `#define HARNESS_RUN(sample, arena) ${stepFunction}(${image}, ${step}, arena)`
      : `#define HARNESS_RUN(sample, arena) ${name}_run(${image}, 0, arena)`,
    `#define HARNESS_INPUTS(X)${inputs.join('')}`,
    placed(reads),
    '',
  ].join('\n');
}

/** The linker's memory map of a machine, included by sections.ld. */
export function memoryMap({ boot, flash, ram }: Machine): string {
  const region = (name: string, attributes: string, { origin, length }: Machine['ram']) =>
    `  ${name} (${attributes}) : ORIGIN = 0x${origin.toString(16)}, LENGTH = ${length}`;
  return [
    'MEMORY',
    '{',
    ...(boot === undefined ? [] : [region('BOOT', 'rx', boot)]),
    region('FLASH', 'rx', flash),
    region('RAM', 'rw', ram),
    '}',
    ...(boot === undefined ? ['REGION_ALIAS("BOOT", FLASH)'] : []),
    '',
  ].join('\n');
}
