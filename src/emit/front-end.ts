/** NAME_features.h and NAME_features.c: a front-end for sound beside the network, fed with samples as they come. */
import { frameWidth } from '../audio/front-end.ts';
import { type FeatureQuantization, type FrontEndTables, tableBytes } from '../audio/tables.ts';
import { numberLines } from './constants.ts';
import { banner, type EmitContext } from './context.ts';

/** A front-end whose features are values of the network's input. */
export interface EmittedFrontEnd {
  readonly tables: FrontEndTables;
  readonly quantization: FeatureQuantization;
}

/** Header of the runtime that the files include. */
export const FRONT_END_RUNTIME = 'rivulet_audio.h';

/** RAM in bytes, all of it in NAME_features: working memory of the transform, the samples of a frame, a counter. */
export function frontEndBytes({ points, frontEnd }: FrontEndTables): number {
  return 4 * points + 4 + 2 * historyLength(frontEnd.window);
}

/** Bytes of constants: the tables and the struct that points to them, on a core with addresses of 32 bits. */
export function frontEndConstantBytes(tables: FrontEndTables): number {
  return tableBytes(tables) + STRUCT_BYTES;
}

const STRUCT_BYTES = 80;

/** The samples of a frame, and as many as make whole words. */
function historyLength(window: number): number {
  return 2 * Math.ceil(window / 2);
}

type Names = Pick<EmitContext, 'name' | 'macro' | 'provenance'>;

export function emitFrontEndHeader(names: Names, { tables }: EmittedFrontEnd): string {
  const { name, macro } = names;
  const { frontEnd, points } = tables;
  const prefix = `${macro}_FEATURES`;
  return [
    banner(names, 'From sound to the rows of the network. No heap, no OS, integers only.'),
    `#ifndef ${prefix}_H`,
    `#define ${prefix}_H`,
    '',
    '#include <stddef.h>',
    '#include <stdint.h>',
    '',
    '#ifdef __cplusplus',
    'extern "C" {',
    '#endif',
    '',
    '/* Samples a second, of a frame, and from one frame to the next; values of a frame. */',
    `#define ${prefix}_RATE ${frontEnd.rate}`,
    `#define ${prefix}_WINDOW_SAMPLES ${frontEnd.window}`,
    `#define ${prefix}_HOP_SAMPLES ${frontEnd.hop}`,
    `#define ${prefix}_SIZE ${frameWidth(frontEnd)}`,
    '/* SRAM: the struct below. Nothing else is used but the stack. */',
    `#define ${prefix}_BYTES ${frontEndBytes(tables)}`,
    '',
    'typedef struct {',
    `    int32_t spectrum[${points}];`,
    '    int32_t filled;',
    `    int16_t history[${historyLength(frontEnd.window)}];`,
    `} ${name}_features;`,
    '',
    '/* Starts a stream of sound. Returns 0, or -1 when memory is NULL. */',
    `int ${name}_features_begin(${name}_features *memory);`,
    '',
    '/*',
    ' * Takes samples until a frame is complete. Returns 1 when one is, with its values in frame: call again, samples may be',
    ' * left. Returns 0 when all samples have been taken, -1 when a pointer is missing. *samples and *count move on to what is',
    ` * left. The first frame takes ${frontEnd.window} samples, each other ${frontEnd.hop} more.`,
    ' */',
    `int ${pushDeclaration(names)};`,
    '',
    '#ifdef __cplusplus',
    '}',
    '#endif',
    '',
    `#endif /* ${prefix}_H */`,
    '',
  ].join('\n');
}

function pushDeclaration({ name, macro }: Names): string {
  return `${name}_features_push(const int16_t **samples, size_t *count, int8_t frame[${macro}_FEATURES_SIZE], ${name}_features *memory)`;
}

/** Tables by the field of rv_front_end that points to them. */
const TABLES: readonly (readonly [string, string, (tables: FrontEndTables) => ArrayLike<number>])[] = [
  ['hann', 'int32_t', (tables) => tables.window],
  ['sine', 'int32_t', (tables) => tables.sine],
  ['edges', 'uint16_t', (tables) => tables.edges],
  ['rises', 'uint16_t', (tables) => tables.rises],
  ['logarithms', 'uint16_t', (tables) => tables.logarithms],
  ['roots', 'uint16_t', (tables) => tables.roots],
  ['cosines', 'int16_t', (tables) => tables.cosines],
];

export function emitFrontEnd(names: Names, { tables, quantization }: EmittedFrontEnd): string {
  const { name, macro } = names;
  const { frontEnd } = tables;
  const arrays = TABLES.map(([field, type, of]) => ({ field, type, values: of(tables) }));
  const fields = {
    window: frontEnd.window,
    hop: frontEnd.hop,
    points: tables.points,
    emphasis: tables.emphasis,
    sample_shift: tables.sampleShift,
    bands: frontEnd.bands,
    coefficients: frontEnd.coefficients,
    unit: tables.unit,
    floor: `INT64_C(${tables.floor})`,
    ...Object.fromEntries(
      arrays.map(({ field, values }) => [field, values.length === 0 ? 'NULL' : `${name}_${field}`]),
    ),
    multiplier: quantization.multiplier,
    shift: quantization.shift,
    zero_point: quantization.zeroPoint,
  };
  return [
    banner(names, `From sound to the rows of the network: ${JSON.stringify(frontEnd)}`),
    `#include "${name}_features.h"`,
    '',
    `#include "${FRONT_END_RUNTIME}"`,
    '',
    `RV_STATIC_ASSERT(sizeof(${name}_features) == ${macro}_FEATURES_BYTES, ${name}_features_size);`,
    '',
    ...arrays.flatMap(({ field, type, values }) =>
      values.length === 0
        ? []
        : [
            `static const ${type} ${name}_${field}[${values.length}] = {`,
            numberLines(values.length, (i) => String(values[i])),
            '};',
            '',
          ],
    ),
    `static const rv_front_end ${name}_front_end = {`,
    ...Object.entries(fields).map(([field, value]) => `    .${field} = ${value},`),
    '};',
    '',
    `int ${name}_features_begin(${name}_features *memory)`,
    '{',
    '    if (memory == NULL) {',
    '        return -1;',
    '    }',
    '    memory->filled = 0;',
    '    return 0;',
    '}',
    '',
    `int ${pushDeclaration(names)}`,
    '{',
    '    if (samples == NULL || *samples == NULL || count == NULL || frame == NULL || memory == NULL) {',
    '        return -1;',
    '    }',
    `    return rv_push_samples(&${name}_front_end, samples, count, memory->history, &memory->filled, memory->spectrum, frame);`,
    '}',
    '',
  ].join('\n');
}
