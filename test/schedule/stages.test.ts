/** Staged rings: where they lie, when rows are copied, that a firing earlier or later is wrong, and random graphs. */
import { describe, expect, it } from 'vitest';
import { lower } from '../../src/lower/lower.ts';
import { checkPlan } from '../../src/plan/check.ts';
import { type Plan, plan } from '../../src/plan/plan.ts';
import type { Program, Run } from '../../src/program/types.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { chooseStages } from '../../src/schedule/choose-stages.ts';
import { dependencies } from '../../src/schedule/dependencies.ts';
import { pullOrder, runsOf } from '../../src/schedule/pull.ts';
import { pushRows } from '../../src/schedule/push.ts';
import { applyRings } from '../../src/schedule/rings.ts';
import { stageRings, stageSites, UNSTAGE } from '../../src/schedule/stages.ts';
import { upTo } from '../plan/programs.ts';
import { survives } from '../plan/replay.ts';
import { inputsFor } from '../support/inputs.ts';
import { randomGraph } from '../support/random-graph.ts';
import { Chain, type Tensor } from './chains.ts';

const GRAPHS = Number(process.env.RIVULET_FUZZ_STAGES ?? 24);

/** The calls in groups that begin at `cuts`. */
function ringed(program: Program, reverse = false, cuts: readonly number[] = [0]): Program {
  const schedule = cuts.flatMap((first, i) => {
    const group = { first, last: (cuts[i + 1] ?? program.calls.length) - 1, reverse };
    return runsOf(program.calls, group, pullOrder(program.calls, dependencies(program), group));
  });
  return applyRings(program, schedule);
}

/** All rings staged that can be; every second one turned to begin at its first place. */
function staged(program: Program): Program {
  const sites = stageSites(program);
  return stageRings(
    program,
    sites.map((site, i) => (i % 2 === 0 ? site : { ...site, turn: site.otherTurn })),
  );
}

/** The calls in firing order, copies as "c". */
function fire({ calls, schedule }: Program): string {
  return schedule
    .map(({ call, count }) => (calls[call]!.op === UNSTAGE ? 'c' : String(call)).repeat(count))
    .join('');
}

/** A tensor of 8 rows of 16 bytes that a window reads. */
function windowed(kernel: number, stride: number, top?: number): { program: Program; tensor: Tensor } {
  const chain = new Chain();
  const tensor = chain.window(chain.input(8, 16), 1);
  return { program: chain.finish(chain.window(tensor, kernel, stride, top)), tensor };
}

describe('a staged ring', () => {
  it.each([
    { kernel: 3, stride: 1, rows: 3 },
    { kernel: 3, stride: 2, rows: 3 },
    { kernel: 5, stride: 2, rows: 5 },
    { kernel: 7, stride: 1, rows: 7 },
  ])('for kernel $kernel and stride $stride has one row less and a stage', ({ kernel, stride, rows }) => {
    for (const reverse of [false, true]) {
      const { program, tensor } = windowed(kernel, stride);
      const before = ringed(program, reverse);
      expect(before.buffers[tensor.buffer]!.bytes).toBe(rows * 16);
      const after = staged(before);
      expect(after.buffers[tensor.buffer]!.bytes).toBe((rows - 1) * 16);
      expect(after.buffers.at(-1)).toMatchObject({ bytes: 16, role: 'activation' });
      expect(survives(after, plan(after))).toBe(true);
    }
  });

  it('copies a row when it was read as the newest one, and the oldest is dead', () => {
    // 0 writes, 2 reads; 1 copies. The first row goes to its place at once: nobody reads it as the newest.
    expect(fire(staged(ringed(windowed(3, 1).program)))).toBe(`0c02c${'02c'.repeat(6)}2`);
  });

  it('is turned so that its last row lies at the end, in the order of firing', () => {
    for (const [reverse, place] of [
      [false, 3],
      [true, 0],
    ] as const) {
      const program = ringed(windowed(5, 1).program, reverse);
      const { calls } = stageRings(program, stageSites(program));
      const { rows, ring, turn } = calls.find(({ op }) => op === UNSTAGE)!.output;
      expect((rows.at(-1)! + turn) % ring).toBe(place);
    }
  });

  it('of a residual keeps the rows for the branch', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(12), 1);
    let b = a;
    for (let i = 0; i < 4; ++i) b = chain.window(b, 3);
    const program = staged(ringed(chain.finish(chain.add(a, b))));
    expect(program.buffers[a.buffer]!.bytes).toBe(4 * a.rowBytes);
    expect(survives(program, plan(program))).toBe(true);
  });

  it.each([
    ['of one row', [0, 1, 2, 3]],
    ['that a slot reads now as the newest row and now as an older one', [1, 0, 3, 2]],
  ])('is not made of one %s', (_, rows) => {
    const chain = new Chain();
    const a = chain.window(chain.input(4), 1);
    expect(stageSites(ringed(chain.finish(chain.pick(a, rows))))).toEqual([]);
  });

  it('is not made of one that a call on its own writes', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(8), 1);
    const cut = ringed(chain.finish(chain.pick(a, [5, 6])), false, [0, 1]);
    expect(cut.buffers[a.buffer]!.bytes).toBeLessThan(8 * a.rowBytes);
    expect(stageSites(cut)).toEqual([]);
  });

  it('is not made of one that two calls write', () => {
    const chain = new Chain();
    const x = chain.input(9);
    const joined = chain.columns([chain.window(x, 1), chain.window(x, 1)]);
    const buffers = stageSites(ringed(chain.finish(chain.window(joined, 3)))).map(({ buffer }) => buffer);
    expect(buffers).not.toContain(joined.buffer);
  });
});

describe('choosing', () => {
  it('stages rings that would not fit together otherwise, and only those', () => {
    const chain = new Chain();
    let x = chain.window(chain.input(32, 16), 3);
    for (let i = 0; i < 5; ++i) x = chain.window(x, 3);
    const program = ringed(pushRows(chain.finish(chain.whole(x))));
    const chosen = chooseStages(program);
    const copies = chosen.calls.filter(({ op }) => op === UNSTAGE).length;
    expect(copies).toBeGreaterThan(0);
    expect(plan(chosen).arenaBytes + 2 * copies).toBeLessThan(plan(program).arenaBytes);
  });

  it('leaves a program alone that gains nothing', () => {
    const chain = new Chain();
    const [x, a] = [chain.input(8, 16), chain.tensor(8, 16)];
    // Most bytes are live while a row is born, when a ring has no place to spare.
    chain.call([{ ...x, rows: upTo(8) }], { ...a, rows: upTo(8) }, { scratchBytes: 1000 });
    const program = ringed(chain.finish(chain.window(a, 3)));
    expect(stageSites(program)).toHaveLength(1);
    expect(chooseStages(program)).toBe(program);
  });
});

/** `schedule` with each copy in turn exchanged with the run before or after it. */
function misplaced({ calls }: Program, schedule: readonly Run[], by: -1 | 1): Run[][] {
  return schedule.flatMap(({ call }, i) => {
    const other = schedule[i + by];
    if (calls[call]!.op !== UNSTAGE || other === undefined || other.call === call) return [];
    const swapped = [...schedule];
    [swapped[i], swapped[i + by]] = [other, schedule[i]!];
    return [swapped];
  });
}

function passes(program: Program, planned: Plan): boolean {
  try {
    checkPlan(program, planned);
    return true;
  } catch {
    return false;
  }
}

describe('a copy', () => {
  it.each([-1, 1] as const)('is wrong by %i firing', (by) => {
    const program = staged(ringed(windowed(3, 1, 0).program));
    const planned = plan(program);
    const mutants = misplaced(program, planned.schedule, by);
    expect(mutants).toHaveLength(8);
    for (const schedule of mutants)
      expect(() => checkPlan(program, { ...planned, schedule })).toThrow('RV9002');
  });

  it.each([-1, 1] as const)('by %i firing in random graphs: the checker says what the bytes do', (by) => {
    let caught = 0;
    for (let seed = 0; seed < GRAPHS / 2; ++seed) {
      const program = staged(ringed(lower(randomGraph(seed, 1 + (seed % 12)))));
      const planned = plan(program);
      for (const schedule of misplaced(program, planned.schedule, by)) {
        const mutant = { ...planned, schedule };
        const passed = passes(program, mutant);
        expect(passed, `seed ${seed}`).toBe(survives(program, mutant));
        if (!passed) caught += 1;
      }
    }
    expect(caught).toBeGreaterThan(GRAPHS);
  });
});

it('a place in another turn is caught', () => {
  const program = staged(ringed(windowed(5, 1).program));
  const planned = plan(program);
  const calls = program.calls.map((call) =>
    call.op === UNSTAGE ? { ...call, output: { ...call.output, turn: call.output.turn + 1 } } : call,
  );
  expect(() => checkPlan({ ...program, calls }, planned)).toThrow('RV9002');
});

it('random graphs give the same bytes with every ring staged', async () => {
  let copies = 0;
  for (let seed = 0; seed < GRAPHS; ++seed) {
    const graph = randomGraph(seed, 1 + (seed % 12));
    const whole = lower(graph);
    const inputs = inputsFor(graph, seed);
    const expected = runReference(graph, inputs);
    for (const program of whole.inputs.length === 1 ? [whole, pushRows(whole)] : [whole]) {
      const streamed = staged(ringed(program));
      copies += streamed.calls.filter(({ op }) => op === UNSTAGE).length;
      const planned = plan(streamed);
      expect(survives(streamed, planned), `seed ${seed}`).toBe(true);
      const executor = await WasmExecutor.create(streamed, planned);
      executor.dirty(seed);
      expect(executor.run(inputs), `seed ${seed}`).toEqual(expected);
    }
  }
  expect(copies).toBeGreaterThan(GRAPHS);
});
