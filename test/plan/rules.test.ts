/**
 * One small program for every rule of the planner: the placement that breaks the rule by as little as possible is
 * forbidden by the planner, rejected by the checker and spoils the bytes; its closest legal neighbour passes all three.
 */
import { describe, expect, it } from 'vitest';
import { RivuletError } from '../../src/core/diagnostics.ts';
import { checkPlan } from '../../src/plan/check.ts';
import { forbiddenDistances } from '../../src/plan/conflicts.ts';
import { cellsOf } from '../../src/plan/liveness.ts';
import { plan } from '../../src/plan/plan.ts';
import type { BufferId, Program } from '../../src/program/types.ts';
import { ProgramSketch, type Rows, upTo } from './programs.ts';
import { survives } from './replay.ts';
import { randomStream } from './rings.ts';

/** Two buffers of a program and distances base(b) - base(a). */
interface Rule {
  readonly program: Program;
  readonly a: BufferId;
  readonly b: BufferId;
  readonly bad: readonly number[];
  readonly good: readonly number[];
}

/** Rows of two bytes by default. */
function rows(buffer: BufferId, list: readonly number[], rowBytes = 2): Rows {
  return { buffer, rowBytes, rows: list };
}

/** x of four rows to y of four rows; firing r reads row r of x, and row r + 1 where the window has two rows. */
function copy(
  kernel: 1 | 2,
  inPlace: readonly number[],
  outBytes = 2,
  bottomUp = false,
  inPlaceExactly: readonly number[] = [],
): Omit<Rule, 'bad' | 'good'> {
  const s = new ProgramSketch();
  const [a, b] = [s.buffer(8, 'input'), s.buffer(4 * outBytes)];
  const slots = [rows(a, [0, 1, 2, 3]), rows(a, [1, 2, 3, -1])].slice(0, kernel);
  s.call(slots, rows(b, upTo(4), outBytes), { inPlace, inPlaceExactly });
  const run = { call: 0, first: bottomUp ? 3 : 0, count: 4, step: bottomUp ? -1 : 1 } as const;
  return { program: s.finish([b], [run]), a, b };
}

/** Three calls in turns: one with scratch (a), one that writes a row (b) which the third reads at once. */
function turnsWithScratch(scratchKeeps: boolean): Omit<Rule, 'bad' | 'good'> {
  const s = new ProgramSketch();
  const [x, y, b, z] = [s.buffer(4, 'input'), s.buffer(4), s.buffer(2), s.buffer(4)];
  s.call([rows(x, [0, 1])], rows(y, [0, 1]), { scratchBytes: 4, scratchKeeps });
  s.call([rows(y, [0, 1])], { ...rows(b, [0, 1]), ring: 1 });
  s.call([{ ...rows(b, [0, 1]), ring: 1 }], rows(z, [0, 1]));
  const turns = upTo(6).map((i) => ({ call: i % 3, first: Math.floor(i / 3), count: 1, step: 1 }) as const);
  return { program: s.finish([z], turns), a: 4, b };
}

/** x of two rows to y, each row of x read through two slots. */
function readTwice(
  inPlace: readonly number[],
  inPlaceExactly: readonly number[] = [],
): Omit<Rule, 'bad' | 'good'> {
  const s = new ProgramSketch();
  const [a, b] = [s.buffer(4, 'input'), s.buffer(4)];
  s.call([rows(a, [0, 1]), rows(a, [0, 1])], rows(b, [0, 1]), { inPlace, inPlaceExactly });
  return { program: s.finish([b]), a, b };
}

const RULES: Readonly<Record<string, () => Rule>> = {
  'a row is free once its last reader has fired': () => ({ ...copy(2, []), bad: [-1, 0], good: [-2] }),
  'an output row may not lie on a row that the kernel still reads': () => ({
    ...copy(1, []),
    bad: [-1, 0],
    good: [-2],
  }),
  'in place, the row that dies may be overwritten': () => ({
    ...copy(1, [0]),
    bad: [1, 7],
    good: [0, -1, 8],
  }),
  'in place, the address may not be higher': () => ({ ...copy(1, [0]), bad: [1], good: [0] }),
  'in place at the same address only, it may not be lower either': () => {
    const s = new ProgramSketch();
    const [a, b] = [s.buffer(2, 'input'), s.buffer(2)];
    s.call([rows(a, [0])], rows(b, [0]), { inPlaceExactly: [0] });
    return { program: s.finish([b]), a, b, bad: [1, -1], good: [0, 2, -2] };
  },
  'in place at the same address only, row by row': () => ({
    ...copy(1, [], 2, false, [0]),
    bad: [-1, 1, 7],
    good: [0, -2, 8],
  }),
  'in place at the same address only, of all rows': () => ({
    ...copy(1, [], 1, false, [0]),
    bad: [0],
    good: [-1],
  }),
  'in place, a single row may not lie higher either': () => {
    const s = new ProgramSketch();
    const [a, b] = [s.buffer(2, 'input'), s.buffer(2)];
    s.call([rows(a, [0])], rows(b, [0]), { inPlace: [0] });
    return { program: s.finish([b]), a, b, bad: [1], good: [0, -1, 2] };
  },
  'in place needs equal rows': () => ({ ...copy(1, [0], 1), bad: [0], good: [-1] }),
  'bottom-up, lifetimes are others': () => ({ ...copy(1, [], 2, true), bad: [0, -2], good: [2] }),
  'bottom-up, the last reader is another': () => ({ ...copy(2, [], 2, true), bad: [-2, 2, 3], good: [4] }),

  'in place only where the row dies': () => {
    const s = new ProgramSketch();
    const [a, b, z] = [s.buffer(4, 'input'), s.buffer(4), s.buffer(4)];
    s.call([rows(a, [0, 1])], rows(b, [0, 1]), { inPlace: [0] });
    s.call([rows(a, [0, 1])], rows(z, [0, 1]));
    return { program: s.finish([b, z]), a, b, bad: [0], good: [4] };
  },

  'in place only where every slot that reads the row allows it': () => ({
    ...readTwice([0]),
    bad: [0],
    good: [-2],
  }),
  'in place only where every slot that reads the row allows it, in any order': () => ({
    ...readTwice([1]),
    bad: [0],
    good: [-2],
  }),
  'in place at the same address only where one slot needs it': () => ({
    ...readTwice([0], [1]),
    bad: [-1, 1],
    good: [0, -2],
  }),
  'in place at the same address only where one slot needs it, in any order': () => ({
    ...readTwice([1], [0]),
    bad: [-1, 1],
    good: [0, -2],
  }),

  'in place only where both rows are one cell': () => {
    const s = new ProgramSketch();
    const [x, a, b, z] = [s.buffer(1, 'input'), s.buffer(2), s.buffer(2), s.buffer(2)];
    const half = (buffer: BufferId, offset: number): Rows => ({
      buffer,
      rowBytes: 1,
      pitch: 2,
      offset,
      rows: [0],
    });
    for (const offset of [0, 1]) s.call([rows(x, [0], 1)], half(a, offset));
    s.call([rows(a, [0])], rows(b, [0]), { inPlace: [0] });
    for (const offset of [0, 1]) s.call([half(b, offset)], half(z, offset));
    return { program: s.finish([z]), a, b, bad: [1], good: [-2, 2] };
  },

  'an output is kept to the end': () => {
    const s = new ProgramSketch();
    const [x, a, b] = [s.buffer(4, 'input'), s.buffer(4), s.buffer(4)];
    s.call([rows(x, [0, 1])], rows(a, [0, 1]));
    s.call([rows(x, [0, 1])], rows(b, [0, 1]));
    return { program: s.finish([a, b]), a, b, bad: [-3, 0, 3], good: [-4, 4] };
  },

  'an input is there before the first firing': () => {
    const s = new ProgramSketch();
    const [x, a, b, z] = [s.buffer(4, 'input'), s.buffer(4, 'input'), s.buffer(4), s.buffer(4)];
    s.call([rows(x, [0, 1])], rows(b, [0, 1]));
    s.call([rows(b, [0, 1]), rows(a, [0, 1])], rows(z, [0, 1]));
    return { program: s.finish([z]), a, b, bad: [-3, 0, 3], good: [-4, 4] };
  },

  'state is kept to the end and beyond': () => {
    const s = new ProgramSketch();
    const [x, a, b] = [s.buffer(4, 'input'), s.buffer(4, 'state'), s.buffer(4)];
    s.call([rows(a, [0, 1]), rows(x, [0, 1])], rows(a, [0, 1]), { inPlace: [0] });
    s.call([rows(x, [0, 1])], rows(b, [0, 1]));
    return { program: s.finish([b]), a, b, bad: [-3, 0, 3], good: [-4, 4] };
  },

  'state is there before the inputs are written': () => {
    const s = new ProgramSketch();
    const [a, b, y] = [s.buffer(4, 'state'), s.buffer(4, 'input'), s.buffer(2)];
    s.call([rows(b, [0])], rows(y, [0]));
    s.call([rows(a, [0, 1])], rows(a, [0, 1]), { inPlace: [0] });
    // Row 1 of the input is never read; writing it would still destroy the state.
    return { program: s.finish([y]), a, b, bad: [-2, 0], good: [-4, 4] };
  },

  'of a history, what is read before it is written persists': () => {
    const s = new ProgramSketch();
    const [x, a, b, y] = [s.buffer(2, 'input'), s.buffer(4, 'history'), s.buffer(2), s.buffer(2)];
    s.call([rows(x, [0])], rows(b, [0]));
    s.call([rows(b, [0])], rows(y, [0]));
    s.call([rows(a, [0]), rows(y, [0])], rows(a, [1]));
    s.call([rows(a, [1])], rows(a, [0]));
    return { program: s.finish([y]), a, b, bad: [-1, 0, 1], good: [-2, 2, 3, 4] };
  },

  'scratch that is kept lives from the first firing of its call to the last': () => ({
    ...turnsWithScratch(true),
    bad: [-1, 0, 2, 3],
    good: [4, -2],
  }),
  'scratch that is not kept is free between firings': () => ({
    ...turnsWithScratch(false),
    bad: [],
    good: [-1, 0, 2, 3],
  }),

  'scratch may not lie on a row that its call reads': () => {
    const s = new ProgramSketch();
    const [a, y] = [s.buffer(4, 'input'), s.buffer(4)];
    s.call([rows(a, [0, 1])], rows(y, [0, 1]), { scratchBytes: 2 });
    return { program: s.finish([y]), a, b: 2, bad: [0, 2, 3], good: [4, -2] };
  },

  'a part that is written later does not end the life of the parts before': () => {
    const s = new ProgramSketch();
    const [x, a, b, z] = [s.buffer(2, 'input'), s.buffer(4), s.buffer(2), s.buffer(2)];
    s.call([rows(x, [0])], { ...rows(a, [0]), pitch: 4 });
    s.call([rows(x, [0])], rows(b, [0]));
    s.call([rows(b, [0])], { ...rows(a, [0]), pitch: 4, offset: 2 }, { inPlace: [0] });
    s.call([rows(a, [0], 4)], rows(z, [0]));
    return { program: s.finish([z]), a, b, bad: [-1, 0, 1], good: [-2, 2, 3, 4] };
  },

  'a residual lives until its last reader': () => {
    const s = new ProgramSketch();
    const [x, a, b, c, y] = [s.buffer(4, 'input'), s.buffer(4), s.buffer(4), s.buffer(4), s.buffer(4)];
    s.call([rows(x, [0, 1])], rows(a, [0, 1]));
    s.call([rows(a, [0, 1])], rows(c, [0, 1]));
    s.call([rows(c, [0, 1])], rows(b, [0, 1]));
    s.call([rows(b, [0, 1]), rows(a, [0, 1])], rows(y, [0, 1]));
    return { program: s.finish([y]), a, b, bad: [-3, 0, 3], good: [-4, 4] };
  },

  'every life of a ring place counts': () => {
    const s = new ProgramSketch();
    const [x, a, b] = [s.buffer(8, 'input'), s.buffer(2), s.buffer(8)];
    const first = s.call([rows(x, upTo(4))], { ...rows(a, upTo(4)), ring: 1 });
    const second = s.call([{ ...rows(a, upTo(4)), ring: 1 }], rows(b, upTo(4)));
    const turns = upTo(8).map(
      (i) => ({ call: i % 2 === 0 ? first : second, first: i >> 1, count: 1, step: 1 }) as const,
    );
    // Only the last row of the output, written when the ring is needed no more, could share its place: in place.
    return { program: s.finish([b], turns), a, b, bad: [-6, -4, 0, 1], good: [-8, 2] };
  },

  'two buffers that meet only in rows apart may interlock exactly': () => {
    const s = new ProgramSketch();
    const [a, b] = [s.buffer(6, 'input'), s.buffer(6)];
    s.call([rows(a, [1, 0, 2])], rows(b, [0, 1, 2]));
    // At distance 2 row 0 of b lies on row 1 of a, which has just been read: not before that firing is over.
    return { program: s.finish([b]), a, b, bad: [-2, 0, 1, 2, 4], good: [-4, 6] };
  },
};

describe.each(Object.entries(RULES))('%s', (_, make) => {
  const { program, a, b, bad, good } = make();
  const [cellsA, cellsB] = [cellsOf(program, program.schedule, a), cellsOf(program, program.schedule, b)];
  const forbidden = forbiddenDistances(cellsA, cellsB);
  const isForbidden = (distance: number) =>
    forbidden.some(({ low, high }) => low < distance && distance < high);

  it('reads the same from the other buffer', () => {
    const mirrored = forbiddenDistances(cellsB, cellsA).map(({ low, high }) => ({
      low: 0 - high,
      high: 0 - low,
    }));
    expect(mirrored.reverse()).toEqual(forbidden);
  });

  it.each(bad)('%i is forbidden, rejected and harmful', (distance) => {
    const placed = apart(program, a, b, distance);
    expect(survives(program, placed)).toBe(false);
    expect(isForbidden(distance)).toBe(true);
    expect(() => checkPlan(program, placed)).toThrow(RivuletError);
  });

  it.each(good)('%i is allowed, accepted and harmless', (distance) => {
    const placed = apart(program, a, b, distance);
    expect(survives(program, placed)).toBe(true);
    expect(isForbidden(distance)).toBe(false);
    expect(() => checkPlan(program, placed)).not.toThrow();
  });
});

describe('schedules', () => {
  it('a ring that is one row too short cannot be planned', () => {
    let short = 0;
    for (let seed = 0; seed < 60; ++seed) {
      const options = { stages: 2 + (seed % 4), maxRows: 8, maxRowBytes: 4 };
      const [whole, lacking] = [
        randomStream(seed, options),
        randomStream(seed, { ...options, missingRows: 1 }),
      ];
      if (JSON.stringify(whole.calls) === JSON.stringify(lacking.calls)) continue;
      short += 1;
      expect(() => plan(lacking), `randomStream(${seed})`).toThrow('RV9002');
      expect(survives(lacking, nowhereNear(lacking)), `randomStream(${seed})`).toBe(false);
      expect(survives(whole, nowhereNear(whole)), `randomStream(${seed})`).toBe(true);
    }
    expect(short).toBeGreaterThan(20);
  });

  it('a firing too many or too few is rejected', () => {
    const { program } = copy(1, []);
    const placed = nowhereNear(program);
    const [run] = program.schedule;
    for (const schedule of [[run!, run!], [{ ...run!, count: 3 }], []]) {
      expect(() => checkPlan(program, { ...placed, schedule })).toThrow('RV9002');
    }
  });

  it('a read of what was never written is rejected', () => {
    const s = new ProgramSketch();
    const [x, y, z] = [s.buffer(4, 'input'), s.buffer(4), s.buffer(4)];
    s.call([rows(x, [0])], rows(y, [0]));
    s.call([rows(y, [0, 1])], rows(z, [0, 1]));
    expect(() => plan(s.finish([z]))).toThrow('before it is written');
  });

  it('a write beyond its buffer is rejected', () => {
    const s = new ProgramSketch();
    const [x, y, z] = [s.buffer(4, 'input'), s.buffer(4), s.buffer(4)];
    s.call([rows(x, [0, 1, 0])], { ...rows(y, [0, 1, 2]), ring: 3 });
    s.call([rows(y, [0, 1])], rows(z, [0, 1]));
    expect(() => plan(s.finish([z]))).toThrow('beyond buffer');
  });

  it('a buffer outside the arena is rejected', () => {
    const { program } = copy(1, []);
    const placed = nowhereNear(program);
    expect(() => checkPlan(program, { ...placed, arenaBytes: placed.arenaBytes - 1 })).toThrow('RV9002');
    expect(() => checkPlan(program, { ...placed, addresses: [-1, 20] })).toThrow('RV9002');
  });
});

/** Buffer b at `distance` from a, all others where nothing overlaps. */
function apart(program: Program, a: BufferId, b: BufferId, distance: number): ReturnType<typeof nowhereNear> {
  const { addresses, ...rest } = nowhereNear(program);
  // Room on both sides of a.
  const base = rest.arenaBytes + program.buffers[b]!.bytes;
  const arenaBytes = base + 4 * (program.buffers[a]!.bytes + program.buffers[b]!.bytes);
  return { ...rest, arenaBytes, addresses: addresses.with(a, base).with(b, base + distance) };
}

/** All buffers one behind the other. */
function nowhereNear(program: Program) {
  const sizes = program.buffers.map(({ bytes }) => bytes);
  const sum = (count: number) => sizes.slice(0, count).reduce((total, bytes) => total + bytes, 0);
  return {
    schedule: program.schedule,
    addresses: sizes.map((_, i) => sum(i)),
    arenaBytes: sum(sizes.length),
  };
}
