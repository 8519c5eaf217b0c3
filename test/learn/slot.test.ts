/** States in flash over a loss of power at any moment: the old ones or the new ones, never a mixture. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32 } from '../../src/core/crc32.ts';
import { decodeSlot, encodeSlot, type SlotLayout } from '../../src/learn/slot.ts';
import { hasCompiler } from '../support/firmware.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-slot-'));
afterAll(() => rmSync(folder, { recursive: true }));

const FLAGS = [
  '-std=c99',
  '-Wall',
  '-Wextra',
  '-Wconversion',
  '-Wshadow',
  '-Werror',
  '-g',
  '-fsanitize=address,undefined',
];
const header = readFileSync('runtime/rivulet_slot.h', 'utf8');
let builds = 0;

/** The simulator as a function from commands to answers, with `text` in place of the runtime's header. */
function simulator(text = header): (commands: readonly string[]) => string[] {
  const path = join(folder, String(++builds));
  const include = join(folder, `include${builds}`);
  spawnSync('mkdir', [include]);
  writeFileSync(join(include, 'rivulet_slot.h'), text);
  const source = 'test/learn/flash-simulator.c';
  const built = spawnSync('gcc', [...FLAGS, '-I', include, '-I', 'runtime', source, '-o', path], {
    encoding: 'utf8',
  });
  if (built.status !== 0) throw new Error(built.stderr);
  return (commands) => {
    const run = spawnSync(path, { input: commands.join('\n'), encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`${run.stdout.split('\n').at(-2)} ${run.stderr}`);
    return run.stdout.trimEnd().split('\n');
  };
}

/** NOTHING_DONE, TORN, TORN_UNREADABLE, ALL_DONE of the simulator. */
const HOWS = [0, 1, 2, 3];
const GEOMETRIES = [
  [64, 1],
  [64, 2],
  [2048, 4],
  [128, 8],
  [64, 16],
  [4096, 32],
] as const;

/** Every operation of a save is cut in every way; what is wrong, or nothing. */
function cutsEverywhere(
  run: ReturnType<typeof simulator>,
  [page, unit]: readonly [number, number],
): string[] {
  const start = [`new ${page} ${unit}`, 'save 1 -1 0', 'save 2 -1 0'];
  const count = Number(
    run([...start, 'save 3 -1 0'])
      .at(-1)!
      .split(' ')[2],
  );
  if (count < 4) return [`a save takes ${count} operations`];
  const commands: string[] = [];
  for (let cut = 0; cut < count; ++cut) {
    for (const how of HOWS) {
      commands.push(...start, `save 3 ${cut} ${how}`, 'restore', 'save 4 -1 0', 'restore');
    }
  }
  const answers = run(commands);
  const wrong: string[] = [];
  for (let i = 0; i < answers.length; i += 6) {
    const [, , cut, after, saved, again] = answers.slice(i, i + 6);
    const isLast = i / 6 === HOWS.length * count - 1;
    const found = after!.split(' ')[2];
    const fine =
      cut!.startsWith('cut') &&
      (found === '2' || (found === '3' && isLast)) &&
      /^restored [01] /.test(after!);
    if (!fine || saved !== `saved 0 ${count}` || again!.split(' ')[2] !== '4' || (isLast && found !== '3')) {
      wrong.push(`${i / 6}: ${after}, ${saved}, ${again}`);
    }
  }
  return wrong;
}

describe.skipIf(!hasCompiler('gcc'))('slots in flash', () => {
  const run = hasCompiler('gcc') ? simulator() : () => [];

  it.each(GEOMETRIES)('survive a cut at every operation: pages of %i, units of %i', (page, unit) => {
    expect(cutsEverywhere(run, [page, unit])).toEqual([]);
  });

  it('take turns, and say what they did', () => {
    const commands = [
      'new 64 8',
      'restore',
      'save 1 -1 0',
      'restore',
      'save 2 -1 0',
      'restore',
      'save 3 31 1',
      'restore',
    ];
    const answers = run([...commands, 'owner 7', 'restore', 'save 5 -1 0', 'restore']);
    expect(answers.filter((answer) => answer.startsWith('restored'))).toEqual([
      ...['restored 2 -1', 'restored 0 1', 'restored 0 2', 'restored 1 2'],
      // Another firmware's.
      ...['restored 3 -1', 'restored 1 5'],
    ]);
  });

  it('survive any sequence of saves and cuts', () => {
    const step = fc.record({
      cut: fc.option(fc.integer({ min: 0, max: 60 }), { nil: -1 }),
      how: fc.constantFrom(...HOWS),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...GEOMETRIES),
        fc.array(step, { minLength: 1, maxLength: 12 }),
        ([page, unit], steps) => {
          const commands = steps.flatMap(({ cut, how }, i) => [`save ${i + 1} ${cut} ${how}`, 'restore']);
          const answers = run([`new ${page} ${unit}`, ...commands]);
          let known = -1;
          steps.forEach((_, i) => {
            const [saved, restored] = [answers[2 * i]!, answers[2 * i + 1]!];
            const found = Number(restored.split(' ')[2]);
            if (saved.startsWith('saved 0')) expect(found).toBe(i + 1);
            else expect([known, i + 1]).toContain(found);
            known = found;
          });
        },
      ),
      { numRuns: 150 },
    );
  });

  it('find every bit that has changed', () => {
    const commands: string[] = [];
    // The second save lies in the second slot, at half of the flash.
    const bytes = 64 + 160;
    for (let byte = 0; byte < bytes; ++byte) {
      for (let bit = 0; bit < 8; ++bit) {
        commands.push('new 64 8', 'save 1 -1 0', 'save 2 -1 0', `flip ${8192 + byte} ${bit}`, 'restore');
      }
    }
    const answers = run(commands).filter((answer) => answer.startsWith('restored'));
    expect(answers.length).toBe(8 * bytes);
    expect(new Set(answers)).toEqual(new Set(['restored 1 1']));
  });

  const layout: SlotLayout = {
    fingerprint: [0x12345678, 0x9abcdef0],
    states: [
      { name: 'a', bytes: 37 },
      { name: 'b', bytes: 91 },
    ],
  };
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

  it('are the same bytes on the host, and sequence numbers wrap around', () => {
    const [dump] = run(['new 64 4', 'save 9 -1 0', 'dump 0']).slice(-1);
    const learnt = decodeSlot(Buffer.from(dump!, 'hex'), layout, 'dump');
    expect(hex(encodeSlot(layout, learnt))).toBe(dump);
    const last = hex(encodeSlot(layout, learnt, 0xffffffff));
    const answers = run([
      'new 64 4',
      `load 0 ${last}`,
      'restore',
      'save 10 -1 0',
      'restore',
      'save 11 -1 0',
      'restore',
    ]);
    expect(answers).toEqual([
      'restored 0 9',
      expect.stringMatching('saved 0'),
      'restored 0 10',
      expect.stringMatching('saved 0'),
      'restored 0 11',
    ]);
  });

  it('are refused by the host too: damaged, cut short, of others', () => {
    const states = new Map(layout.states.map(({ name, bytes }) => [name, new Uint8Array(bytes).fill(bytes)]));
    const slot = encodeSlot(layout, { steps: 5, states });
    expect(decodeSlot(slot, layout, 'x')).toEqual({ steps: 5, states });
    const end = 64 + 132;
    for (let byte = 0; byte < slot.length; ++byte) {
      const damaged = slot.with(byte, slot[byte]! ^ 16);
      expect(() => decodeSlot(damaged, layout, 'x'), `byte ${byte} of ${end}`).toThrow('RV5005');
    }
    for (const size of [0, 63, 64, slot.length - 1]) {
      expect(() => decodeSlot(slot.subarray(0, size), layout, 'x')).toThrow('RV5005');
    }
    expect(() => decodeSlot(slot, { ...layout, fingerprint: [0x12345678, 1] }, 'x')).toThrow(
      'another model or scheme',
    );
    expect(() => decodeSlot(slot.fill(255), layout, 'x')).toThrow('does not begin');
  });

  const WRITE_PAYLOAD =
    '    for (uint32_t at = RV_SLOT_PAYLOAD; at < end; at += RV_SLOT_LINE) {\n        rv_move_line(';
  const COMMIT =
    '    if (rv_program_line(flash, slot + RV_SLOT_LINE, line) != 0) {\n        return -3;\n    }\n';
  const FAULTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'the slot that is valid is overwritten': {
      'slots.slot[1] : slots.slot[0]': 'slots.slot[0] : slots.slot[0]',
    },
    'nothing is erased': { 'flash->erase(flash->context, slot + at) != 0': '0' },
    'the payload is not checked': {
      'found == *crc ?': 'found != 1u ?',
      'crc == slots.crc[i]': 'crc != 1u',
    },
    'the commit is not checked': {
      'whole = whole && rv_get_word(line + i) == ~header;': 'whole = whole && 1;',
    },
    'the commit comes first': {
      [COMMIT]: '',
      [WRITE_PAYLOAD]: `    memset(line, 0, sizeof line);\n${COMMIT}${WRITE_PAYLOAD}`,
    },
    'the older slot is restored': { '> 0);': '< 0);' },
  };

  it.each(Object.entries(FAULTS))('would be found out if %s', (_, changes) => {
    let text = header;
    for (const [from, to] of Object.entries(changes)) {
      expect(text.split(from).length).toBe(2);
      text = text.replace(from, () => to);
    }
    const faulty = simulator(text);
    const wrong = (): string[] => {
      try {
        return [...cutsEverywhere(faulty, [64, 8]), ...flipped(faulty)];
      } catch (error) {
        return [(error as Error).message];
      }
    };
    expect(wrong()).not.toEqual([]);
  });

  it('finds nothing where there is no fault', () => {
    expect([...cutsEverywhere(run, [64, 8]), ...flipped(run)]).toEqual([]);
  });

  /** Damage in the payload and in the commit of the newer slot. */
  function flipped(faulty: typeof run): string[] {
    return [40, 100].flatMap((byte) => {
      const answers = faulty(['new 64 8', 'save 1 -1 0', 'save 2 -1 0', `flip ${8192 + byte} 3`, 'restore']);
      return answers.at(-1) === 'restored 1 1' ? [] : answers;
    });
  }
});

it('crc32 has the check value of the standard', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
});
