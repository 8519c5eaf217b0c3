/** NAME_weights.h and NAME_weights.c: every constant of the program as a C array. */
import { DTYPES, type TypedArray } from '../core/dtype.ts';
import type { Constant, ConstantId, Program } from '../program/types.ts';
import { banner, type EmitContext } from './context.ts';

/** Numbers per line, so that lines stay below 110 columns. */
const PER_LINE = 20;

export function constantName({ name }: EmitContext, id: ConstantId): string {
  return `${name}_constant_${id}`;
}

/** The C element type of a constant. */
export function constantType(data: TypedArray): string {
  const entry = Object.values(DTYPES).find(({ array }) => data instanceof array);
  return entry!.c;
}

export function emitWeightsHeader(context: EmitContext): string {
  const guard = `${context.macro}_WEIGHTS_H`;
  return [
    banner(context, 'The constants of the network; private to the project.'),
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '',
    '#include <stdint.h>',
    '',
    ...context.program.constants.map((constant) => `extern ${declaration(context, constant)};`),
    '',
    `#endif /* ${guard} */`,
    '',
  ].join('\n');
}

export function emitWeights(context: EmitContext): string {
  const parts = [
    banner(context, 'The constants of the network.'),
    `#include "${context.name}_weights.h"`,
    '',
  ];
  for (const constant of context.program.constants) {
    parts.push(`const ${declaration(context, constant).replace(/^const /, '')} = {`);
    parts.push(numbers(constant.data), '};', '');
  }
  return parts.join('\n');
}

/** Bytes of all constants by role. */
export function constantBytes(program: Program): { weights: number; tables: number } {
  const sum = (role: Constant['role']): number =>
    program.constants.filter((c) => c.role === role).reduce((bytes, c) => bytes + c.data.byteLength, 0);
  return { weights: sum('weights'), tables: sum('table') };
}

function declaration(context: EmitContext, { id, data }: Constant): string {
  return `const ${constantType(data)} ${constantName(context, id)}[${data.length}]`;
}

function numbers(data: TypedArray): string {
  return numberLines(data.length, (i) =>
    data instanceof Float32Array ? floatLiteral(data[i]!) : integerLiteral(Number(data[i])),
  );
}

/** Lines of an array's initialiser. */
export function numberLines(length: number, literalAt: (index: number) => string): string {
  const lines: string[] = [];
  for (let i = 0; i < length; i += PER_LINE) {
    let line = '   ';
    for (let j = i; j < Math.min(i + PER_LINE, length); ++j) line += ` ${literalAt(j)},`;
    lines.push(line);
  }
  return lines.join('\n');
}

/** INT32_MIN has no literal of its own type in C. */
function integerLiteral(x: number): string {
  return x === -2147483648 ? '(-2147483647 - 1)' : String(x);
}

/** A float32 as a C literal, or an expression, that reads back to the same bits; of NaNs there is one. */
export function floatLiteral(x: number): string {
  if (!Number.isFinite(x)) return `(${Math.sign(x) || 0}.0f / 0.0f)`;
  const text = Number(Math.fround(x).toPrecision(9)).toString();
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}
