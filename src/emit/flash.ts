/** NAME_save and NAME_restore: what a program has learnt, kept in flash over a loss of power. */
import type { EmitContext } from './context.ts';
import { savedBytes } from './states.ts';
import { STEPS_BYTES } from './training.ts';

/** A slot in flash: two lines of header and commit, then whole lines. `runtime/rivulet_slot.h` has the format. */
const LINE = 32;

export function slotBytes(saved: number): number {
  return 2 * LINE + Math.ceil(saved / LINE) * LINE;
}

/** Lines of NAME.h. */
export function flashPrototypes({ name, macro, program }: EmitContext): string[] {
  const saved = savedBytes(program);
  return [
    `/* What a slot takes in flash; there are two. ${saved} bytes of it are what has been learnt. */`,
    `#define ${macro}_SLOT_BYTES ${slotBytes(saved)}`,
    '',
    '/*',
    ' * What has been learnt, in flash. rivulet_flash.h says what the application has to provide. Between two steps at any time.',
    ` * ${name}_save: writes the slot that is older or not valid; the other stays as it is until the new one is complete.`,
    ' * 0: saved. -1: a pointer is missing, or pages, units and slots do not fit. -2: erasing failed. -3: programming failed.',
    ' * -4: what has been written does not read back. Unless it is 0, what was saved before is still there.',
    ` * ${name}_restore: in place of ${name}_reset. 0: what was saved last. 1: a valid slot; the other was not completed, is damaged`,
    ' * or of other firmware. 2: nothing has been saved. 3: no slot is valid: damaged, or of another model or scheme. -1 as above.',
    ` * Unless it is 0 or 1, parameters have the values that ${name}_reset gives them (as far as there is memory).`,
    ' */',
    `int ${name}_save(const rv_flash *flash, ${name}_arena *memory);`,
    `int ${name}_restore(const rv_flash *flash, ${name}_arena *memory);`,
    '',
  ];
}

/** Lines of NAME.c. */
export function emitFlash(context: EmitContext): string[] {
  const { name, program } = context;
  const pieces = piecesOf(context);
  const [low, high] = program.training!.fingerprint.map((word) => `0x${word.toString(16).padStart(8, '0')}u`);
  return [
    `static const rv_piece ${name}_pieces[] = {`,
    ...pieces.map(({ member, offset, bytes }) => {
      const at = `(uint32_t)offsetof(${name}_arena, ${member})`;
      return `    {${offset === 0 ? at : `${at} + ${offset}u`}, ${bytes}u},`;
    }),
    '};',
    '',
    `static const rv_kept ${name}_kept = {${name}_pieces, ${pieces.length}u, ${savedBytes(program)}u, {${low}, ${high}}};`,
    '',
    `int ${name}_save(const rv_flash *flash, ${name}_arena *memory)`,
    '{',
    `    return memory == NULL ? -1 : rv_save(flash, &${name}_kept, (uint8_t *)memory);`,
    '}',
    '',
    `int ${name}_restore(const rv_flash *flash, ${name}_arena *memory)`,
    '{',
    '    int found = -1;',
    '',
    '    if (memory == NULL) {',
    '        return -1;',
    '    }',
    `    if (rv_flash_is_usable(flash, &${name}_kept)) {`,
    `        found = rv_restore(flash, &${name}_kept, (uint8_t *)memory);`,
    '    }',
    '    if (found != 0 && found != 1) {',
    `        (void)${name}_reset(memory);`,
    '    }',
    '    return found;',
    '}',
    '',
  ];
}

interface Piece {
  readonly member: 'steps' | 'bytes';
  readonly offset: number;
  readonly bytes: number;
}

/** The count of steps, then the states in their order; those that lie next to each other are one piece. */
function piecesOf({ program, plan }: EmitContext): Piece[] {
  const pieces: Piece[] = [{ member: 'steps', offset: 0, bytes: STEPS_BYTES }];
  for (const { buffer, offset, bytes } of program.states) {
    const start = plan.addresses[buffer]! + offset;
    const last = pieces.at(-1)!;
    if (last.member === 'bytes' && last.offset + last.bytes === start) {
      pieces[pieces.length - 1] = { ...last, bytes: last.bytes + bytes };
    } else pieces.push({ member: 'bytes', offset: start, bytes });
  }
  return pieces;
}
