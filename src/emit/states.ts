/** What a program keeps from one run to the next (parameters that are trained): the function with which it begins. */
import type { Program } from '../program/types.ts';
import { constantName } from './constants.ts';
import type { EmitContext } from './context.ts';
import { STEPS_BYTES } from './training.ts';

/** How many bytes of them are saved: all, and the count of steps. */
export function savedBytes(program: Program): number {
  return program.states.reduce((sum, { bytes }) => sum + bytes, STEPS_BYTES);
}

export function hasStates(program: Program): boolean {
  return program.states.length > 0;
}

/** Lines of NAME.h. */
export function resetPrototype({ name, macro }: EmitContext): string[] {
  return [
    '/* Some of the arena persists from one call to the next. */',
    `#define ${macro}_KEEPS_STATE 1`,
    '',
    '/* Gives what persists the values it begins with: call it once before everything else. Returns 0, or -1 without memory. */',
    `int ${name}_reset(${name}_arena *memory);`,
    '',
  ];
}

/** The function, for NAME.c. */
export function emitReset(context: EmitContext): string[] {
  const { name, program, plan } = context;
  const lines = program.states.map(({ buffer, offset, bytes, initial }) => {
    const place = `memory->bytes + ${plan.addresses[buffer]! + offset}`;
    return initial === null
      ? `    memset(${place}, 0, ${bytes});`
      : `    memcpy(${place}, ${constantName(context, initial)}, ${bytes});`;
  });
  return [
    `int ${name}_reset(${name}_arena *memory)`,
    '{',
    '    if (memory == NULL) {',
    '        return -1;',
    '    }',
    ...lines,
    ...(program.training ? ['    memory->steps = 0;'] : []),
    '    return 0;',
    '}',
    '',
  ];
}
