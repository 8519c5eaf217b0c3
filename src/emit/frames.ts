/** `--stream-axis time`: the functions with which an application pushes frames and gets the outputs of a sliding window. */
import { DTYPES } from '../core/dtype.ts';
import { type Call, type Program, pushCall, type Sliding } from '../program/types.ts';
import type { EmitContext } from './context.ts';

/** What persists between frames, besides the arena: two counters. */
export interface FrameState extends Sliding {
  readonly call: Call;
  /** Bytes of the counters in NAME_arena. */
  readonly bytes: number;
}

export function frameState(program: Program): FrameState | undefined {
  const { sliding } = program;
  return sliding && { ...sliding, call: pushCall(program)!, bytes: 8 };
}

/** The members of NAME_arena that come before its bytes. */
export const FRAME_MEMBERS = [
  '    int32_t frame;               /* of the hop that comes next */',
  '    int32_t missing;             /* hops until the first window is complete */',
];

/** The macros of NAME.h that say how the window slides. */
export function frameMacros({ macro }: EmitContext, { windowFrames, hopFrames }: FrameState): string[] {
  return [
    '/* Frames of a window, and from one window to the next. */',
    `#define ${macro}_WINDOW_FRAMES ${windowFrames}`,
    `#define ${macro}_HOP_FRAMES ${hopFrames}`,
    '',
  ];
}

/** Prototypes of the functions, for NAME.h. */
export function framePrototypes(
  context: EmitContext,
  state: FrameState,
  outputs: readonly string[],
): string[] {
  const { name, macro } = context;
  const { windowFrames, hopFrames } = state;
  const every = hopFrames === 1 ? 'every frame' : `every ${hopFrames} frames`;
  return [
    '/*',
    ` * A window of ${windowFrames} frames slides along a stream, and of each only what is new is computed.`,
    ` * ${name}_begin starts a stream. ${name}_push_frame takes the next frame (it is copied) and returns 1 if it completes a`,
    ` * window: after the first ${windowFrames} frames, then ${every}. Then the outputs are those of the model for the last`,
    ` * ${windowFrames} frames. An output pointer may be NULL: read the output at ${macro}_OUTPUT_0(arena), before the next frame is`,
    ' * pushed. It returns 0 if it completes none, -1 when a pointer is missing. The arena is the memory of the stream: leave',
    ' * it as it is between calls.',
    ' */',
    `int ${name}_begin(${name}_arena *memory);`,
    `int ${name}_push_frame(${pushParameters(context, state, outputs)});`,
    '',
  ];
}

/**
 * The functions themselves, for NAME.c.
 * @param opening lines that run before the first frame of a hop is stored
 * @param rest lines that run when the last one is
 * @param copies lines that hand out the results
 */
export function emitFrames(
  context: EmitContext,
  state: FrameState,
  outputs: readonly string[],
  { opening, rest, copies }: Record<'opening' | 'rest' | 'copies', readonly string[]>,
): string[] {
  const { name, plan } = context;
  const { windowFrames, hopFrames, call } = state;
  const { output } = call;
  const start = plan.addresses[output.buffer]! + output.offset;
  const place = hopFrames === 1 ? String(start) : `${start} + memory->frame * ${output.pitch}`;
  const phase = (hopFrames - (windowFrames % hopFrames)) % hopFrames;
  return [
    `int ${name}_begin(${name}_arena *memory)`,
    '{',
    '    if (memory == NULL) {',
    '        return -1;',
    '    }',
    '    memset(memory, 0, sizeof *memory);',
    // A hop ends with the last frame of the first window, whatever the remainder.
    ...(phase === 0 ? [] : [`    memory->frame = ${phase};`]),
    `    memory->missing = ${Math.ceil(windowFrames / hopFrames) - 1};`,
    '    return 0;',
    '}',
    '',
    `int ${name}_push_frame(${pushParameters(context, state, outputs)})`,
    '{',
    '    int8_t *arena;',
    '',
    '    if (memory == NULL || frame == NULL) {',
    '        return -1;',
    '    }',
    '    arena = memory->bytes;',
    ...(hopFrames === 1 || opening.length === 0
      ? opening
      : ['    if (memory->frame == 0) {', ...opening.map((line) => `    ${line}`), '    }']),
    `    memcpy(arena + ${place}, frame, ${output.rowBytes});`,
    ...(hopFrames === 1
      ? []
      : [
          `    if (++memory->frame < ${hopFrames}) {`,
          '        return 0;',
          '    }',
          '    memory->frame = 0;',
        ]),
    ...rest,
    '    if (memory->missing > 0) {',
    '        --memory->missing;',
    '        return 0;',
    '    }',
    ...copies,
    '    return 1;',
    '}',
    '',
  ];
}

function pushParameters(
  { name, program }: EmitContext,
  { call }: FrameState,
  outputs: readonly string[],
): string {
  const { bytes, c } = DTYPES[program.inputs[0]!.dtype];
  return [`const ${c} frame[${call.output.rowBytes / bytes}]`, ...outputs, `${name}_arena *memory`].join(
    ', ',
  );
}
