/** Rows mode: the functions with which an application pushes its input row by row, as a sensor delivers it. */
import { DTYPES } from '../core/dtype.ts';
import { type Segment, segmentsOf } from '../program/segments.ts';
import { type Call, type Program, pushCall } from '../program/types.ts';
import type { EmitContext } from './context.ts';
import { frameState } from './frames.ts';
import { layerName, rowAddress } from './layers.ts';
import { COUNTER_BYTES, counterType, rowText, turnsOf } from './streams.ts';
import { STEPS_BYTES } from './training.ts';

/** What persists between pushed rows, besides the arena. */
export interface PushState {
  readonly call: Call;
  /** The segment that takes the rows; it is the first. */
  readonly segment: Segment;
  /** Elements of `done`: a counter for each layer of the segment, and up to a multiple of four bytes. */
  readonly counters: number;
  /** Bytes of the counters in NAME_arena. */
  readonly bytes: number;
}

export function pushState(
  program: Program,
  schedule: EmitContext['plan']['schedule'],
): PushState | undefined {
  const call = program.sliding ? undefined : pushCall(program);
  if (call === undefined) return undefined;
  const segment = segmentsOf(program.calls, schedule)[0]!;
  const size = COUNTER_BYTES[counterType(program, segment)];
  const counters = (Math.ceil((segment.calls.length * size) / 4) * 4) / size;
  return { call, segment, counters, bytes: 8 + counters * size };
}

/** All SRAM of a planned program but the stack: the arena, and the counters of pushed rows or frames. */
export function sramBytes(program: Program, plan: EmitContext['plan']): number {
  return plan.arenaBytes + counterBytes(program, plan);
}

/** Bytes of the counters that persist between pushed rows, frames or steps of training. */
export function counterBytes(program: Program, plan: EmitContext['plan']): number {
  const pushed = frameState(program)?.bytes ?? pushState(program, plan.schedule)?.bytes ?? 0;
  return pushed + (program.training ? STEPS_BYTES : 0);
}

/** The members of NAME_arena that come before its bytes. */
export function pushMembers(program: Program, { counters, segment }: PushState): string[] {
  return [
    '    int32_t rows;                /* pushed since begin; -1 after finish */',
    '    int32_t turn;                /* of the first stream */',
    `    ${counterType(program, segment)} done[${counters}];`,
  ];
}

/** Prototypes of the functions, for NAME.h. */
export function pushPrototypes(
  context: EmitContext,
  { call }: PushState,
  outputs: readonly string[],
): string[] {
  const { name } = context;
  return [
    '/*',
    ' * The frame is never stored: push its rows from top to bottom, for instance from the line interrupt of a camera.',
    ` * ${name}_begin starts a frame. ${name}_push_row takes the next row (it is copied) and returns how many rows are still`,
    ` * expected, or -1 when none is. ${name}_finish completes the inference and returns 0, or -1 when rows are missing.`,
    ' */',
    `int ${name}_begin(${name}_arena *memory);`,
    `int ${name}_push_row(${rowParameter(context, call)}, ${name}_arena *memory);`,
    `int ${name}_finish(${[...outputs, `${name}_arena *memory`].join(', ')});`,
    '',
  ];
}

/** The functions themselves, for NAME.c; `rest` runs what follows the first segment, `copies` hands out the results. */
export function emitPush(
  context: EmitContext,
  state: PushState,
  outputs: readonly string[],
  rest: readonly string[],
  copies: readonly string[],
): string[] {
  const { name, plan } = context;
  const { call, segment } = state;
  const { firings, output } = call;
  const place = `memory->bytes + ${plan.addresses[output.buffer]! + output.offset}`;
  const target = rowAddress(place, output, 'memory->rows', firings - 1);
  const arguments_ = outputs.map((parameter) => parameter.replace(/^.*\*/, ''));
  return [
    ...emitAdvance(context, state),
    '',
    `int ${name}_begin(${name}_arena *memory)`,
    '{',
    '    if (memory == NULL) {',
    '        return -1;',
    '    }',
    '    memory->rows = 0;',
    '    memory->turn = 0;',
    '    memset(memory->done, 0, sizeof memory->done);',
    `    ${name}_advance(memory);`,
    '    return 0;',
    '}',
    '',
    `int ${name}_push_row(${rowParameter(context, call)}, ${name}_arena *memory)`,
    '{',
    `    if (memory == NULL || row == NULL || memory->rows < 0 || memory->rows >= ${firings}) {`,
    '        return -1;',
    '    }',
    `    memcpy(${target}, row, ${output.rowBytes});`,
    '    ++memory->rows;',
    '    ++memory->turn;',
    `    ${name}_advance(memory);`,
    `    return (int)(${firings} - memory->rows);`,
    '}',
    '',
    `int ${name}_finish(${[...outputs, `${name}_arena *memory`].join(', ')})`,
    '{',
    ...(rest.length + copies.length > 0 ? ['    int8_t *arena;', ''] : []),
    `    if (memory == NULL || memory->rows != ${firings}) {`,
    '        return -1;',
    '    }',
    '    memory->rows = -1;',
    ...(rest.length + copies.length > 0 ? ['    arena = memory->bytes;'] : []),
    ...segmentTraces(context, segment),
    ...rest,
    ...copies,
    '    return 0;',
    '}',
    '',
    `int ${name}_run(const ${inputType(context)} *input_0, ${[...outputs, `${name}_arena *memory`].join(', ')})`,
    '{',
    `    if (input_0 == NULL || ${name}_begin(memory) != 0) {`,
    '        return -1;',
    '    }',
    `    while (${name}_push_row(input_0, memory) > 0) {`,
    `        input_0 += ${output.pitch / DTYPES[context.program.inputs[0]!.dtype].bytes};`,
    '    }',
    `    return ${name}_finish(${[...arguments_, 'memory'].join(', ')});`,
    '}',
    '',
  ];
}

function inputType({ program }: EmitContext): string {
  return DTYPES[program.inputs[0]!.dtype].c;
}

function rowParameter(context: EmitContext, { output }: Call): string {
  return `const ${inputType(context)} row[${output.rowBytes / DTYPES[context.program.inputs[0]!.dtype].bytes}]`;
}

/** NAME_advance: all turns up to the next row that has to be pushed. */
function emitAdvance({ name, program, ...context }: EmitContext, { call, segment }: PushState): string[] {
  const pushed = segment.calls.indexOf(call.index);
  const turns = turnsOf(segment).flatMap(({ layer, rows }) =>
    layer === pushed ? new Array<string>(rows).fill(`{${layer}, 1}`) : [`{${layer}, ${rows}}`],
  );
  const layers = segment.calls.filter((index) => index !== call.index);
  const lines: string[] = [];
  for (let i = 0; i < turns.length; i += 12) lines.push(`        ${turns.slice(i, i + 12).join(', ')},`);
  return [
    `/* Stream 0, as far as the pushed rows allow: layers ${layers.join(', ')} take turns. */`,
    `static RV_NOINLINE void ${name}_advance(${name}_arena *memory)`,
    '{',
    `    /* Whose turn, and for how many rows; ${pushed}: a row has to be pushed. */`,
    `    static const uint8_t turns[${turns.length}][2] = {`,
    ...lines,
    '    };',
    ...(layers.length > 0 ? ['    int8_t *arena = memory->bytes;'] : []),
    '',
    `    for (; memory->turn < ${turns.length} && turns[memory->turn][0] != ${pushed}; ++memory->turn) {`,
    '        const int32_t layer = turns[memory->turn][0];',
    '        for (int32_t rows = turns[memory->turn][1]; rows > 0; --rows) {',
    '            const int32_t row = memory->done[layer]++;',
    '            switch (layer) {',
    ...layers.flatMap((index) => [
      `            case ${segment.calls.indexOf(index)}:`,
      `                ${layerName({ name, program, ...context }, program.calls[index]!)}(arena, ${rowText(segment, index, program.calls[index]!.firings)});`,
      '                break;',
    ]),
    '            default:',
    ...(layers.length > 0 ? [] : ['                (void)row;']),
    '                break;',
    '            }',
    '        }',
    '    }',
    '}',
  ];
}

/** Values that the first segment hands on. */
function segmentTraces({ program, plan }: EmitContext, { calls }: Segment): string[] {
  return calls.flatMap((index) => {
    const { result } = program.calls[index]!;
    if (result === null) return [];
    return [
      `    RV_TRACE_LAYER(${index}, memory->bytes + ${plan.addresses[result.buffer]}, ${result.bytes});`,
    ];
  });
}
