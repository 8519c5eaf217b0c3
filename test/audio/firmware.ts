/** A front-end alone as a firmware: a sample is a clip, pushed in pieces; outputs are its frames, and their logarithms. */
import { clipSamples, type FrontEnd, frameWidth } from '../../src/audio/front-end.ts';
import { quantizationOf, tablesOf } from '../../src/audio/tables.ts';
import { emitFrontEnd, emitFrontEndHeader } from '../../src/emit/front-end.ts';
import { SOURCES } from '../../src/generated/sources.ts';
import type { FirmwareRequest } from '../../src/run/firmware.ts';

export const QUANTIZATION = { scale: 0.15, zeroPoint: 20 } as const;

/**
 * @param pieces samples of each push, again and again
 * @param edit what is replaced in the emitted C
 * @param logarithms whether they are copied to the second output
 */
export function frontEndRequest(
  frontEnd: FrontEnd,
  core: string,
  { pieces = [100, 1, 333], edit = ['', ''] as readonly [string, string], logarithms = true } = {},
): FirmwareRequest {
  const tables = tablesOf(frontEnd);
  const quantization = quantizationOf(QUANTIZATION.scale, QUANTIZATION.zeroPoint)!;
  const names = { name: 'clip', macro: 'CLIP', provenance: 'a test' };
  const inputBytes = 2 * clipSamples(frontEnd);
  const frameBytes = 4 * Math.ceil((frontEnd.frames * frameWidth(frontEnd)) / 4);
  const logarithmBytes = 4 * frontEnd.frames * frontEnd.bands;
  const [first, second] = [4 * Math.ceil(inputBytes / 4), 4 * Math.ceil(inputBytes / 4) + frameBytes];
  const header = [
    '#ifndef CLIP_H',
    '#define CLIP_H',
    '#include "clip_features.h"',
    '#define CLIP_INPUT_COUNT 1',
    '#define CLIP_OUTPUT_COUNT 2',
    `#define CLIP_INPUT_0_BYTES ${inputBytes}`,
    `#define CLIP_OUTPUT_0_BYTES ${frameBytes}`,
    `#define CLIP_OUTPUT_1_BYTES ${logarithmBytes}`,
    '#define CLIP_INPUT_0_OFFSET 0',
    `#define CLIP_OUTPUT_0_OFFSET ${first}`,
    `#define CLIP_OUTPUT_1_OFFSET ${second}`,
    `typedef struct { int32_t bytes[${(second + logarithmBytes) / 4}]; clip_features features; } clip_arena;`,
    'int clip_run(const int16_t *input, int8_t *frames, int32_t *logarithms, clip_arena *memory);',
    '#endif',
    '',
  ].join('\n');
  const source = [
    '#include "clip.h"',
    'int clip_run(const int16_t *input, int8_t *frames, int32_t *logarithms, clip_arena *memory)',
    '{',
    `    static const size_t pieces[] = {${pieces.join(', ')}};`,
    '    const int16_t *samples = input != NULL ? input : (const int16_t *)(const void *)memory->bytes;',
    `    int8_t *frame = frames != NULL ? frames : (int8_t *)(void *)memory->bytes + ${first};`,
    `    int32_t *sums = logarithms != NULL ? logarithms : memory->bytes + ${second / 4};`,
    `    size_t left = ${inputBytes / 2};`,
    '    if (clip_features_begin(&memory->features) != 0) {',
    '        return -1;',
    '    }',
    '    for (size_t piece = 0; left > 0; ++piece) {',
    '        const size_t next = pieces[piece % (sizeof pieces / sizeof pieces[0])];',
    '        size_t count = next < left ? next : left;',
    '        left -= count;',
    '        while (clip_features_push(&samples, &count, frame, &memory->features) == 1) {',
    '            frame += CLIP_FEATURES_SIZE;',
    `            for (int b = 0; b < ${logarithms ? frontEnd.bands : 0}; ++b) {`,
    '                *sums++ = memory->features.spectrum[b];',
    '            }',
    '        }',
    '    }',
    '    return 0;',
    '}',
    '',
  ].join('\n');
  const emitted = { tables, quantization };
  const files = new Map([
    ['clip.h', header],
    ['clip.c', source],
    ['clip_features.h', emitFrontEndHeader(names, emitted)],
    ['clip_features.c', emitFrontEnd(names, emitted)],
    ['rivulet_audio.h', SOURCES['rivulet_audio.h']!.replace(...edit)],
    ['rivulet.h', SOURCES['rivulet.h']!],
  ]);
  if (edit[0] !== '' && !SOURCES['rivulet_audio.h']!.includes(edit[0])) throw new Error(`no "${edit[0]}"`);
  return {
    files,
    name: 'clip',
    inputBytes: [inputBytes],
    outputBytes: [frameBytes, logarithmBytes],
    layers: 1,
    core,
    optimize: 'speed',
  };
}
