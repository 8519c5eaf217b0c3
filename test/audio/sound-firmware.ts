/** A network with its front-end as a firmware: a sample is a clip, the output its scores. */
import { clipSamples, type FrontEnd } from '../../src/audio/front-end.ts';
import type { Compilation } from '../../src/compile.ts';
import type { FirmwareRequest } from '../../src/run/firmware.ts';

/** The project, and a program around it that hears a clip in pieces of 700 samples. */
export function soundRequest(compilation: Compilation, frontEnd: FrontEnd, core: string): FirmwareRequest {
  const { name, program, project } = compilation;
  const inputBytes = 2 * clipSamples(frontEnd);
  const outputBytes = program.outputs[0]!.bytes;
  const offset = 4 * Math.ceil(inputBytes / 4);
  const overTime = program.sliding !== undefined;
  const header = [
    '#ifndef SOUND_H',
    '#define SOUND_H',
    `#include "${name}.h"`,
    `#include "${name}_features.h"`,
    '#define SOUND_INPUT_COUNT 1',
    '#define SOUND_OUTPUT_COUNT 1',
    `#define SOUND_INPUT_0_BYTES ${inputBytes}`,
    `#define SOUND_OUTPUT_0_BYTES ${outputBytes}`,
    '#define SOUND_INPUT_0_OFFSET 0',
    `#define SOUND_OUTPUT_0_OFFSET ${offset}`,
    `typedef struct { int32_t bytes[${offset / 4 + Math.ceil(outputBytes / 4)}]; ${name}_features features; ${name}_arena network; } sound_arena;`,
    'int sound_run(const int16_t *input, int8_t *output, sound_arena *memory);',
    '#endif',
    '',
  ].join('\n');
  const source = [
    '#include "sound.h"',
    'int sound_run(const int16_t *input, int8_t *output, sound_arena *memory)',
    '{',
    '    const int16_t *samples = input != NULL ? input : (const int16_t *)(const void *)memory->bytes;',
    `    int8_t *scores = output != NULL ? output : (int8_t *)(void *)memory->bytes + ${offset};`,
    `    int8_t frame[${name.toUpperCase()}_FEATURES_SIZE];`,
    `    size_t left = ${inputBytes / 2};`,
    `    if (${name}_features_begin(&memory->features) != 0 || ${name}_begin(&memory->network) != 0) {`,
    '        return -1;',
    '    }',
    '    while (left > 0) {',
    '        size_t count = left < 700 ? left : 700;',
    '        left -= count;',
    `        while (${name}_features_push(&samples, &count, frame, &memory->features) == 1) {`,
    overTime
      ? `            (void)${name}_push_frame(frame, scores, &memory->network);`
      : `            (void)${name}_push_row(frame, &memory->network);`,
    '        }',
    '    }',
    `    return ${overTime ? '0' : `${name}_finish(scores, &memory->network)`};`,
    '}',
    '',
  ].join('\n');
  const files = new Map([...project, ['sound.h', header], ['sound.c', source]]);
  return {
    ...{ files, name: 'sound', inputBytes: [inputBytes], outputBytes: [outputBytes], layers: 1 },
    ...{ core, optimize: 'speed' },
  };
}
