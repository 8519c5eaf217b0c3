/** The streaming groups of NAME.c: a table of turns and the function that takes them. */
import type { Segment } from '../program/segments.ts';
import type { Program } from '../program/types.ts';
import type { EmitContext } from './context.ts';
import { layerName } from './layers.ts';

/** Rows of one layer in a row: layer (index in the group) and how many. */
interface Turn {
  readonly layer: number;
  readonly rows: number;
}

export function streamName({ name }: EmitContext, index: number): string {
  return `${name}_stream_${index}`;
}

/** The turns of a group; a count fits a byte. */
export function turnsOf(segment: Segment): Turn[] {
  return segment.runs.flatMap(({ call, count }) => {
    const layer = segment.calls.indexOf(call);
    const whole = Math.floor(count / 255);
    const turns: Turn[] = new Array(whole).fill({ layer, rows: 255 });
    return count % 255 === 0 ? turns : [...turns, { layer, rows: count % 255 }];
  });
}

/** The function of a group. Each layer counts its own rows, so the table says only whose turn it is. */
export function emitStream(context: EmitContext, segment: Segment, index: number): string {
  const { program } = context;
  const turns = turnsOf(segment);
  const names = segment.calls.map((call) => layerName(context, program.calls[call]!));
  const cases = segment.calls.flatMap((call, layer) => [
    `            case ${layer}:`,
    `                ${names[layer]}(arena, ${rowText(segment, call, program.calls[call]!.firings)});`,
    '                break;',
  ]);
  return [
    `/* Stream ${index}: layers ${segment.calls.join(', ')} take turns, so that only the rows still needed are kept. */`,
    `static RV_NOINLINE void ${streamName(context, index)}(int8_t *arena)`,
    '{',
    '    /* Whose turn, and for how many rows. */',
    `    static const uint8_t turns[${turns.length}][2] = {`,
    ...lines(turns.map(({ layer, rows }) => `{${layer}, ${rows}}`)),
    '    };',
    `    ${counterType(program, segment)} done[${segment.calls.length}] = {0};`,
    '',
    `    for (int32_t turn = 0; turn < ${turns.length}; ++turn) {`,
    '        const int32_t layer = turns[turn][0];',
    '        for (int32_t rows = turns[turn][1]; rows > 0; --rows) {',
    '            const int32_t row = done[layer]++;',
    '            switch (layer) {',
    ...cases,
    '            default:',
    '                break;',
    '            }',
    '        }',
    '    }',
    '}',
  ].join('\n');
}

/** Bytes of the types that count the rows of every layer of a group. */
export const COUNTER_BYTES = { uint8_t: 1, int16_t: 2, int32_t: 4 } as const;

export function counterType({ calls }: Program, segment: Segment): keyof typeof COUNTER_BYTES {
  const most = Math.max(...segment.calls.map((call) => calls[call]!.firings));
  return most < 256 ? 'uint8_t' : most < 32768 ? 'int16_t' : 'int32_t';
}

/** The row of a layer's next turn: counted from the end where the group runs bottom-up. */
export function rowText(segment: Segment, call: number, firings: number): string {
  const { step } = segment.runs.find((run) => run.call === call)!;
  return step === 1 ? 'row' : `${firings - 1} - row`;
}

function lines(items: readonly string[]): string[] {
  const result: string[] = [];
  for (let i = 0; i < items.length; i += 12) result.push(`        ${items.slice(i, i + 12).join(', ')},`);
  return result;
}
