/** NAME.h and NAME.c: the API of the emitted project and the sequence of its layers. */
import { DTYPES } from '../core/dtype.ts';
import { isStream, segmentsOf } from '../program/segments.ts';
import type { Port } from '../program/types.ts';
import { floatLiteral } from './constants.ts';
import { banner, type EmitContext } from './context.ts';
import type { KernelFunction } from './kernels.ts';
import { emitLayer, layerName } from './layers.ts';
import { commentText, stringText } from './names.ts';
import { emitStream, streamName } from './streams.ts';

/** Version of the generated API; two projects with different versions can still be linked together. */
const API_VERSION = 1;

export function emitModelHeader(context: EmitContext): string {
  const { name, macro, program, plan } = context;
  const guard = `${macro}_H`;
  return [
    banner(
      context,
      `${commentText(program.name)}: run the network with ${name}_run(). No initialisation, no heap, no OS.`,
    ),
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '',
    '#include <stddef.h>',
    '#include <stdint.h>',
    '',
    '#ifdef __cplusplus',
    'extern "C" {',
    '#endif',
    '',
    `#define ${macro}_API_VERSION ${API_VERSION}`,
    '',
    '/* SRAM for one inference: inputs, outputs, activations and scratch. Nothing else is used but the stack. */',
    `#define ${macro}_ARENA_BYTES ${plan.arenaBytes}`,
    '',
    ...ports(context, 'input'),
    ...ports(context, 'output'),
    'typedef union {',
    '    int32_t align;',
    `    int8_t bytes[${macro}_ARENA_BYTES];`,
    `} ${name}_arena;`,
    '',
    '/*',
    ' * Runs one inference and returns 0, or -1 when arena is NULL.',
    ' *',
    ' * Each pointer may be NULL: then the tensor is used where it lies, in the arena, and nothing is copied. Write an input',
    ` * to ${macro}_INPUT_0(arena) before the call, read an output at ${macro}_OUTPUT_0(arena) after it. The arena keeps nothing`,
    ' * between calls; inputs are overwritten during the call.',
    ' */',
    `int ${name}_run(${runParameters(context).join(', ')});`,
    '',
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

export function emitModel(context: EmitContext, functions: readonly KernelFunction[]): string {
  const { name, macro, program, plan } = context;
  const segments = segmentsOf(program.calls, plan.schedule);
  const functionOf = (call: number): KernelFunction => functions.find((f) => f.calls.includes(call))!;
  return [
    banner(
      context,
      `${commentText(program.name)}: ${program.calls.length} layer${program.calls.length === 1 ? '' : 's'} in ${plan.arenaBytes} bytes of SRAM.`,
    ),
    `#include "${name}.h"`,
    '',
    `#include "${name}_kernels.h"`,
    `#include "${name}_weights.h"`,
    '',
    `RV_STATIC_ASSERT(sizeof(${name}_arena) == ${macro}_ARENA_BYTES, ${name}_arena_size);`,
    '',
    `#if defined(${macro}_STATIC_ARENA)`,
    `${name}_arena ${name}_static_arena;`,
    '#endif',
    '',
    ...segments.flatMap((segment, index) => {
      const run = isStream(segment) ? null : segment.runs[0]!;
      const layers = segment.calls.flatMap((call) => [
        emitLayer(context, program.calls[call]!, run, functionOf(call)),
        '',
      ]);
      return run === null ? [...layers, emitStream(context, segment, index), ''] : layers;
    }),
    `int ${name}_run(${runParameters(context).join(', ')})`,
    '{',
    '    int8_t *arena;',
    '',
    '    if (memory == NULL) {',
    '        return -1;',
    '    }',
    '    arena = memory->bytes;',
    ...program.inputs.flatMap((port, i) => copyIn(context, port, i)),
    ...segments.flatMap((segment, index) => [
      `    ${isStream(segment) ? streamName(context, index) : layerName(context, program.calls[segment.calls[0]!]!)}(arena);`,
      ...segment.calls.flatMap((call) => traceLine(context, call)),
    ]),
    ...program.outputs.flatMap((port, i) => copyOut(context, port, i)),
    '    return 0;',
    '}',
    '',
  ].join('\n');
}

function traceLine({ program, plan }: EmitContext, call: number): string[] {
  const { result } = program.calls[call]!;
  if (result === null) return [];
  return [`    RV_TRACE_LAYER(${call}, ${arenaAt(plan.addresses[result.buffer]!)}, ${result.bytes});`];
}

/** The parameters of NAME_run: a pointer per input and output, then the arena. */
export function runParameters({ name, program }: EmitContext): string[] {
  return [
    ...program.inputs.map((port, i) => `const ${DTYPES[port.dtype].c} *${pointerName('input', i)}`),
    ...program.outputs.map((port, i) => `${DTYPES[port.dtype].c} *${pointerName('output', i)}`),
    `${name}_arena *memory`,
  ];
}

function pointerName(role: 'input' | 'output', index: number): string {
  return `${role}_${index}`;
}

function ports({ macro, program, plan }: EmitContext, role: 'input' | 'output'): string[] {
  const list = role === 'input' ? program.inputs : program.outputs;
  const lines = [`#define ${macro}_${role.toUpperCase()}_COUNT ${list.length}`, ''];
  list.forEach((port, i) => {
    const prefix = `${macro}_${role.toUpperCase()}_${i}`;
    const { c } = DTYPES[port.dtype];
    const access =
      c === 'int8_t'
        ? `((arena)->bytes + ${prefix}_OFFSET)`
        : `((${c} *)(void *)((arena)->bytes + ${prefix}_OFFSET))`;
    lines.push(
      `/* "${commentText(port.name)}": ${c} [${port.shape.join(', ')}] */`,
      `#define ${prefix}_NAME "${stringText(port.name)}"`,
      `#define ${prefix}_TYPE ${c}`,
      `#define ${prefix}_RANK ${port.shape.length}`,
      `#define ${prefix}_SHAPE {${port.shape.length === 0 ? 1 : port.shape.join(', ')}}`,
      `#define ${prefix}_SIZE ${port.bytes / DTYPES[port.dtype].bytes}`,
      `#define ${prefix}_BYTES ${port.bytes}`,
      `#define ${prefix}_OFFSET ${plan.addresses[port.buffer]}`,
    );
    if (port.quantization?.scales.length === 1) {
      lines.push(
        `/* real = scale * (value - zero point) */`,
        `#define ${prefix}_SCALE ${floatLiteral(port.quantization.scales[0]!)}`,
        `#define ${prefix}_ZERO_POINT ${parenthesised(port.quantization.zeroPoints[0]!)}`,
      );
    }
    lines.push(`#define ${prefix}(arena) ${access}`, '');
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
