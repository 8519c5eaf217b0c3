/** Ring lengths of programs made by hand, and that each is needed: one row less and the checker objects. */
import { describe, expect, it } from 'vitest';
import { lower } from '../../src/lower/lower.ts';
import { checkPlan } from '../../src/plan/check.ts';
import { plan } from '../../src/plan/plan.ts';
import type { BufferId, Program, RowView, Run } from '../../src/program/types.ts';
import { dependencies } from '../../src/schedule/dependencies.ts';
import { pullOrder, runsOf } from '../../src/schedule/pull.ts';
import { pushRows } from '../../src/schedule/push.ts';
import { applyRings } from '../../src/schedule/rings.ts';
import { stream } from '../../src/schedule/stream.ts';
import { survives } from '../plan/replay.ts';
import { randomGraph } from '../support/random-graph.ts';
import { Chain, type Tensor } from './chains.ts';

const GRAPHS = 24;

/** The program with rings; its calls in groups that begin at `cuts`. */
function grouped(program: Program, { cuts = [0], reverse = false } = {}): Program {
  const needs = dependencies(program);
  const schedule = cuts.flatMap((first, i): Run[] => {
    const group = { first, last: (cuts[i + 1] ?? program.calls.length) - 1, reverse };
    return runsOf(program.calls, group, pullOrder(program.calls, needs, group));
  });
  return applyRings(program, schedule);
}

/** Row places of a tensor after `grouped`; the plan must hold. */
function places(program: Program, { buffer, rowBytes }: Tensor, options = {}): number {
  const ringed = grouped(program, options);
  expect(survives(ringed, plan(ringed))).toBe(true);
  return ringed.buffers[buffer]!.bytes / rowBytes;
}

describe('a ring', () => {
  it.each([
    { kernel: 1, stride: 1, rows: 1 },
    { kernel: 3, stride: 1, rows: 3 },
    { kernel: 3, stride: 2, rows: 3 },
    { kernel: 7, stride: 2, rows: 7 },
    { kernel: 1, stride: 3, rows: 1 },
    { kernel: 2, stride: 3, rows: 2 },
  ])('for kernel $kernel and stride $stride has $rows rows', ({ kernel, stride, rows }) => {
    const chain = new Chain();
    const a = chain.window(chain.input(16), 1);
    const program = chain.finish(chain.window(a, kernel, stride, Math.floor((kernel - 1) / 2)));
    expect(places(program, a)).toBe(rows);
    expect(places(program, a, { reverse: true })).toBe(rows);
  });

  it('of a residual holds the delay of the branch', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(12), 1);
    let b = a;
    for (let i = 0; i < 4; ++i) b = chain.window(b, 3);
    expect(places(chain.finish(chain.add(a, b)), a)).toBe(5);
  });

  it('of an upsampled tensor has one row', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(6), 1);
    expect(places(chain.finish(chain.upsample(a, 3)), a)).toBe(1);
  });

  it('serves the slower of two outputs', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(12), 1);
    expect(places(chain.finish(chain.window(a, 1), chain.window(a, 5)), a)).toBe(5);
  });

  it('may be written in parts', () => {
    const chain = new Chain();
    const x = chain.input(9);
    const joined = chain.columns([chain.window(x, 1), chain.window(x, 1), chain.window(x, 1)]);
    expect(places(chain.finish(chain.window(joined, 3)), joined)).toBe(3);
  });

  it('is as long as the tensor where rows are read in the other order', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(4), 1);
    expect(places(chain.finish(chain.pick(a, [3, 2, 1, 0])), a)).toBe(4);
  });

  it('has room for rows that are not written in order', () => {
    const chain = new Chain();
    const x = chain.input(6);
    const a = chain.tensor(6, 4);
    chain.call([{ ...x, rows: [0, 1, 2, 3, 4, 5] }], { ...a, rows: [1, 0, 3, 2, 5, 4] });
    expect(places(chain.finish(chain.pick(a, [0, 1, 2, 3, 4, 5])), a)).toBe(2);
  });

  it('spans all live rows, not only the newest and the one that was written first', () => {
    const chain = new Chain();
    const x = chain.input(4);
    const a = chain.tensor(4, 4);
    chain.call([{ ...x, rows: [0, 1, 2, 3] }], { ...a, rows: [1, 3, 0, 2] });
    // When row 0 is born, row 1 is the oldest, but the place of row 3 is taken too.
    const program = chain.finish(chain.pick(a, [0, 1, 3, 2]));
    expect(places(program, a)).toBe(4);
  });
});

describe('a tensor stays whole', () => {
  it('that is handed on to another group, or an output', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(8), 1);
    const b = chain.window(a, 3);
    const program = chain.finish(b);
    expect(places(program, a, { cuts: [0, 1] })).toBe(8);
    expect(places(program, b)).toBe(8);
  });

  it('that somebody reads as a whole', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(8), 1);
    expect(places(chain.finish(chain.whole(a)), a)).toBe(8);
  });

  it('whose views do not agree on rows', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(4, 6), 1);
    const out = chain.tensor(3, 8);
    chain.call([{ ...a, rowBytes: 8, rows: [0, 1, 2] }], { ...out, rows: [0, 1, 2] });
    expect(places(chain.finish(out), a)).toBe(4);
  });
});

describe('values handed on', () => {
  it('are outputs, what one call writes, and what later groups read to the last row', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(6), 1);
    const b = chain.window(a, 3);
    const c = chain.window(b, 1);
    const d = chain.pick(c, [0, 1, 2, 3, 4, 5]);
    const program = withResults(chain.finish(d));
    expect(resultsOf(grouped(program, { cuts: [0, 3] }))).toEqual([c.buffer, d.buffer]);
    expect(resultsOf(grouped(program, { cuts: [0, 1, 2, 3] }))).toHaveLength(4);
  });

  it('are not those of which rows were dropped because nobody reads them', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(6), 1);
    const b = chain.pick(a, [5]);
    const program = withResults(chain.finish(b));
    for (const cuts of [[0], [0, 1]]) expect(resultsOf(grouped(program, { cuts }))).not.toContain(a.buffer);
  });
});

/** The program as if every call finished a value, its whole output. */
function withResults(program: Program): Program {
  return {
    ...program,
    calls: program.calls.map((call) => {
      const { id, name, bytes } = program.buffers[call.output.buffer]!;
      return { ...call, result: { name, buffer: id, shape: [bytes], dtype: 'int8', bytes } };
    }),
  };
}

function resultsOf({ calls }: Program): BufferId[] {
  return calls.flatMap(({ result }) => (result === null ? [] : [result.buffer]));
}

it('random graphs need every ring as long as it is', () => {
  let mutants = 0;
  for (let seed = 0; seed < GRAPHS; ++seed) {
    const whole = lower(randomGraph(seed, 1 + (seed % 12)));
    for (const program of whole.inputs.length === 1 ? [whole, pushRows(whole)] : [whole]) {
      const streamed = stream(program);
      for (const [buffer, ring] of ringsOf(streamed.program)) {
        if (ring === 1) continue;
        mutants += 1;
        const mutant = shortened(streamed.program, buffer);
        expect(() => checkPlan(mutant, streamed.plan), `seed ${seed}, buffer ${buffer}`).toThrow('RV9002');
      }
    }
  }
  expect(mutants).toBeGreaterThan(GRAPHS / 2);
});

/** The buffers that hold fewer rows than are written to them, and how many. */
function ringsOf(program: Program): Map<BufferId, number> {
  const rings = new Map<BufferId, number>();
  for (const { output } of program.calls) {
    if (output.rows.some((row) => row >= output.ring)) rings.set(output.buffer, output.ring);
  }
  return rings;
}

/** Every view of the buffer with a ring of one row less. */
function shortened(program: Program, buffer: BufferId): Program {
  const shorter = <V extends RowView>(view: V): V => ({ ...view, ring: view.ring - 1 });
  return {
    ...program,
    calls: program.calls.map((call) => ({
      ...call,
      slots: call.slots.map((slot) =>
        slot.source.kind === 'buffer' && slot.source.buffer === buffer ? shorter(slot) : slot,
      ),
      output: call.output.buffer === buffer ? shorter(call.output) : call.output,
    })),
  };
}
