/** NAME.h and NAME.c: the API of the emitted project and the sequence of its layers. */
import { DTYPES } from '../core/dtype.ts';
import { isStream, type Segment, segmentsOf } from '../program/segments.ts';
import { framePort, type Port, PUSH, pushCall } from '../program/types.ts';
import { floatLiteral } from './constants.ts';
import { banner, type EmitContext } from './context.ts';
import { emitFlash, flashPrototypes } from './flash.ts';
import {
  emitFrames,
  FRAME_MEMBERS,
  type FrameState,
  frameMacros,
  framePrototypes,
  frameState,
} from './frames.ts';
import type { KernelFunction } from './kernels.ts';
import { emitLayer, layerName } from './layers.ts';
import { commentText, stringText } from './names.ts';
import { counterBytes, emitPush, type PushState, pushMembers, pushPrototypes, pushState } from './push.ts';
import { emitReset, hasStates, resetPrototype } from './states.ts';
import { emitStream, streamName } from './streams.ts';
import {
  emitPushedTraining,
  emitResidentTraining,
  emitStep,
  STEPS_MEMBER,
  segmentCounts,
  trainingPrototypes,
} from './training.ts';

/** Version of the generated API; two projects with different versions can still be linked together. */
const API_VERSION = 1;

export function emitModelHeader(context: EmitContext): string {
  const { name, macro, program, plan } = context;
  const guard = `${macro}_H`;
  const push = pushState(program, plan.schedule);
  const frames = frameState(program);
  const counters = counterBytes(program, plan);
  return [
    banner(
      context,
      `${commentText(program.name)}: run the network with ${name}_${frames ? 'push_frame(). No' : 'run(). No initialisation, no'} heap, no OS.`,
    ),
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '',
    '#include <stddef.h>',
    '#include <stdint.h>',
    ...(program.training ? ['', '#include "rivulet_flash.h"'] : []),
    '',
    '#ifdef __cplusplus',
    'extern "C" {',
    '#endif',
    '',
    `#define ${macro}_API_VERSION ${API_VERSION}`,
    '',
    `/* SRAM for one ${frames ? 'stream: what is kept of the window' : 'inference: inputs'}, outputs, activations and scratch. Nothing else is used but the stack. */`,
    `#define ${macro}_ARENA_BYTES ${plan.arenaBytes}`,
    '',
    ...ports(context, 'input'),
    ...ports(context, 'output'),
    ...(frames ? frameMacros(context, frames) : []),
    ...(counters > 0
      ? [
          `/* Counters that persist between ${program.training ? 'steps' : `pushed ${frames ? 'frames' : 'rows'}`}. */`,
          `#define ${macro}_STATE_BYTES ${counters}`,
          '',
          'typedef struct {',
          ...(program.training ? [STEPS_MEMBER] : []),
          ...(push ? pushMembers(program, push) : frames ? FRAME_MEMBERS : []),
        ]
      : ['typedef union {', '    int32_t align;']),
    `    int8_t bytes[${macro}_ARENA_BYTES];`,
    `} ${name}_arena;`,
    '',
    ...(hasStates(program) ? resetPrototype(context) : []),
    ...(program.training
      ? [...trainingPrototypes(context), ...flashPrototypes(context)]
      : frames
        ? framePrototypes(context, frames, outputParameters(context))
        : runPrototype(context, push)),
    ...(push ? pushPrototypes(context, push, outputParameters(context)) : []),
    `#if defined(${macro}_STATIC_ARENA)`,
    `/* An arena for applications that want the linker to place it: compile ${name}.c with ${macro}_STATIC_ARENA. */`,
    `extern ${name}_arena ${name}_static_arena;`,
    '#endif',
    '',
    '#ifdef __cplusplus',
    '}',
    '#endif',
    '',
    `#endif /* ${guard} */`,
    '',
  ].join('\n');
}

function runPrototype(context: EmitContext, push: PushState | undefined): string[] {
  return [
    ...(push ? pushedRunComment(context) : runComment(context)),
    `int ${context.name}_run(${runParameters(context).join(', ')});`,
    '',
  ];
}

function runComment({ macro, program }: EmitContext): string[] {
  return [
    '/*',
    ' * Runs one inference and returns 0, or -1 when memory is NULL.',
    ' *',
    ' * Each pointer may be NULL: then the tensor is used where it lies, in the arena, and nothing is copied. Write an input',
    ` * to ${macro}_INPUT_0(arena) before the call, read an output at ${macro}_OUTPUT_0(arena) after it. The arena keeps nothing`,
    ` * between calls${hasStates(program) ? ' but what persists' : ''}; inputs are overwritten during the call.`,
    ' */',
  ];
}

function pushedRunComment({ macro }: EmitContext): string[] {
  return [
    '/*',
    ' * Runs one inference on a frame that the application has, pushing its rows; returns 0, or -1 when memory or input_0 is',
    ` * NULL. An output pointer may be NULL: read the output at ${macro}_OUTPUT_0(arena).`,
    ' */',
  ];
}

export function emitModel(context: EmitContext, functions: readonly KernelFunction[]): string {
  const { name, macro, program, plan } = context;
  const segments = segmentsOf(program.calls, plan.schedule);
  const push = pushState(program, plan.schedule);
  const frames = frameState(program);
  const counters = counterBytes(program, plan);
  return [
    banner(
      context,
      `${commentText(program.name)}: ${program.calls.length} layer${program.calls.length === 1 ? '' : 's'} in ${plan.arenaBytes} bytes of SRAM.`,
    ),
    `#include "${name}.h"`,
    '',
    `#include "${name}_kernels.h"`,
    `#include "${name}_weights.h"`,
    ...(program.training ? ['#include "rivulet_slot.h"'] : []),
    '',
    `RV_STATIC_ASSERT(sizeof(${name}_arena) == ${macro}_ARENA_BYTES${counters > 0 ? ` + ${macro}_STATE_BYTES` : ''}, ${name}_arena_size);`,
    '',
    `#if defined(${macro}_STATIC_ARENA)`,
    `${name}_arena ${name}_static_arena;`,
    '#endif',
    '',
    ...segments.flatMap((segment, index) => {
      const layers = emitSegmentLayers(context, segment, functions).flatMap((layer) => [layer, '']);
      const pushed = push !== undefined && index === 0;
      return isStream(segment) && !pushed ? [...layers, emitStream(context, segment, index), ''] : layers;
    }),
    ...(hasStates(program) ? emitReset(context) : []),
    ...(program.training
      ? [...emitTraining(context, push), ...emitFlash(context)]
      : frames
        ? emitFrameRun(context, frames)
        : push
          ? emitPushedRun(context, push)
          : emitRun(context)),
  ].join('\n');
}

/** The layer functions of a segment: with a loop of their own, or row by row where layers take turns. */
export function emitSegmentLayers(
  context: EmitContext,
  segment: Segment,
  functions: readonly KernelFunction[],
): string[] {
  const { calls } = context.program;
  const takesTurns = isStream(segment) || segment.calls.some((call) => calls[call]!.kernel === PUSH);
  return segment.calls
    .filter((call) => calls[call]!.kernel !== PUSH)
    .map((call) => {
      const kernel = functions.find((f) => f.calls.includes(call))!;
      return emitLayer(context, calls[call]!, takesTurns ? null : segment.runs[0]!, kernel);
    });
}

function emitRun(context: EmitContext): string[] {
  const { name, program, plan } = context;
  return [
    `int ${name}_run(${runParameters(context).join(', ')})`,
    '{',
    '    int8_t *arena;',
    '',
    '    if (memory == NULL) {',
    '        return -1;',
    '    }',
    '    arena = memory->bytes;',
    ...program.inputs.flatMap((port, i) => copyIn(context, port, i)),
    ...segmentsOf(program.calls, plan.schedule).flatMap((segment, i) => segmentLines(context, segment, i)),
    ...program.outputs.flatMap((port, i) => copyOut(context, port, i)),
    '    return 0;',
    '}',
    '',
  ];
}

function emitPushedRun(context: EmitContext, push: PushState): string[] {
  const { program, plan } = context;
  const rest = segmentsOf(program.calls, plan.schedule).flatMap((segment, i) =>
    i === 0 ? [] : segmentLines(context, segment, i),
  );
  const copies = program.outputs.flatMap((port, i) => copyOut(context, port, i));
  return emitPush(context, push, outputParameters(context), rest, copies);
}

function emitTraining(context: EmitContext, push: PushState | undefined): string[] {
  const { program, plan } = context;
  const segments = segmentsOf(program.calls, plan.schedule);
  const lines = segments.map((segment, i) => segmentLines(context, segment, i));
  const { inference } = segmentCounts(context);
  const step = emitStep(context, lines.slice(inference).flat());
  if (push === undefined)
    return [...step, ...emitResidentTraining(context, lines.slice(0, inference).flat())];
  const forward = lines.slice(1, inference).flat();
  const copies = copyOut(context, program.outputs[0]!, 0);
  return [
    ...step,
    ...emitPush(context, push, outputParameters(context), forward, copies),
    ...emitPushedTraining(context, forward, {
      rows: push.call.firings,
      pitch: push.call.output.pitch / DTYPES[program.inputs[0]!.dtype].bytes,
    }),
  ];
}

function emitFrameRun(context: EmitContext, frames: FrameState): string[] {
  const { program, plan } = context;
  const lines = segmentsOf(program.calls, plan.schedule).map((segment, i) =>
    segmentLines(context, segment, i),
  );
  const pushed = frames.call.index;
  return emitFrames(context, frames, outputParameters(context), {
    opening: lines.slice(0, pushed).flat(),
    rest: lines.slice(pushed + 1).flat(),
    copies: program.outputs.flatMap((port, i) => copyOut(context, port, i)),
  });
}

/** The lines that run a segment and trace what it hands on. */
function segmentLines(context: EmitContext, segment: Segment, index: number): string[] {
  const { program } = context;
  const name = isStream(segment)
    ? streamName(context, index)
    : layerName(context, program.calls[segment.calls[0]!]!);
  return [`    ${name}(arena);`, ...segment.calls.flatMap((call) => traceLine(context, call))];
}

function traceLine({ program, plan }: EmitContext, call: number): string[] {
  const { result } = program.calls[call]!;
  if (result === null) return [];
  return [`    RV_TRACE_LAYER(${call}, ${arenaAt(plan.addresses[result.buffer]!)}, ${result.bytes});`];
}

/** The parameters of NAME_run: a pointer per input and output, then the arena. */
export function runParameters(context: EmitContext): string[] {
  return [
    ...context.program.inputs.map((port, i) => `const ${DTYPES[port.dtype].c} *${pointerName('input', i)}`),
    ...outputParameters(context),
    `${context.name}_arena *memory`,
  ];
}

/** Of a training step only the logits: the loss is a parameter of its own. */
function outputParameters({ program }: EmitContext): string[] {
  return program.outputs
    .slice(0, program.training ? 1 : undefined)
    .map((port, i) => `${DTYPES[port.dtype].c} *${pointerName('output', i)}`);
}

function pointerName(role: 'input' | 'output', index: number): string {
  return `${role}_${index}`;
}

function ports({ macro, program, plan }: EmitContext, role: 'input' | 'output'): string[] {
  const isFrame = role === 'input' && program.sliding !== undefined;
  // The label and the rate of a training step are parameters of its function.
  const inputs = program.training ? program.inputs.slice(0, 1) : program.inputs;
  const list = role === 'output' ? program.outputs : isFrame ? [framePort(program)] : inputs;
  const lines = [`#define ${macro}_${role.toUpperCase()}_COUNT ${list.length}`, ''];
  list.forEach((port, i) => {
    const prefix = `${macro}_${role.toUpperCase()}_${i}`;
    const { c } = DTYPES[port.dtype];
    const access =
      c === 'int8_t'
        ? `((arena)->bytes + ${prefix}_OFFSET)`
        : `((${c} *)(void *)((arena)->bytes + ${prefix}_OFFSET))`;
    lines.push(
      `/* ${isFrame ? 'A frame of ' : ''}"${commentText(port.name)}": ${c} [${port.shape.join(', ')}] */`,
      `#define ${prefix}_NAME "${stringText(port.name)}"`,
      `#define ${prefix}_TYPE ${c}`,
      `#define ${prefix}_RANK ${port.shape.length}`,
      `#define ${prefix}_SHAPE {${port.shape.length === 0 ? 1 : port.shape.join(', ')}}`,
      `#define ${prefix}_SIZE ${port.bytes / DTYPES[port.dtype].bytes}`,
      `#define ${prefix}_BYTES ${port.bytes}`,
    );
    const pushed = role === 'input' ? pushCall(program) : undefined;
    if (pushed === undefined) lines.push(`#define ${prefix}_OFFSET ${plan.addresses[port.buffer]}`);
    else if (program.sliding === undefined)
      lines.push(
        '/* The rows that are pushed. */',
        `#define ${prefix}_ROWS ${pushed.firings}`,
        `#define ${prefix}_ROW_BYTES ${pushed.output.rowBytes}`,
      );
    if (port.quantization?.scales.length === 1) {
      lines.push(
        `/* real = scale * (value - zero point) */`,
        `#define ${prefix}_SCALE ${floatLiteral(port.quantization.scales[0]!)}`,
        `#define ${prefix}_ZERO_POINT ${parenthesised(port.quantization.zeroPoints[0]!)}`,
      );
    }
    lines.push(...(pushed === undefined ? [`#define ${prefix}(arena) ${access}`] : []), '');
  });
  return lines;
}

function arenaAt(address: number): string {
  return address === 0 ? 'arena' : `arena + ${address}`;
}

function parenthesised(x: number): string {
  return x < 0 ? `(${x})` : String(x);
}

function copyIn({ plan }: EmitContext, port: Port, i: number): string[] {
  const pointer = pointerName('input', i);
  const place = arenaAt(plan.addresses[port.buffer]!);
  return [
    `    if (${pointer} != NULL && (const void *)${pointer} != ${place}) {`,
    `        memcpy(${place}, ${pointer}, ${port.bytes});`,
    '    }',
  ];
}

function copyOut({ plan }: EmitContext, port: Port, i: number): string[] {
  const pointer = pointerName('output', i);
  const place = arenaAt(plan.addresses[port.buffer]!);
  return [
    `    if (${pointer} != NULL && (void *)${pointer} != ${place}) {`,
    `        memcpy(${pointer}, ${place}, ${port.bytes});`,
    '    }',
  ];
}
