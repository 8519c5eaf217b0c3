/** What holds of every stream: no larger than layer by layer, no smaller than its live bytes, the same every time. */
import { expect, it } from 'vitest';
import { lower } from '../../src/lower/lower.ts';
import { runPasses } from '../../src/passes/pipeline.ts';
import { plan } from '../../src/plan/plan.ts';
import { type Program, PUSH } from '../../src/program/types.ts';
import { pushRows } from '../../src/schedule/push.ts';
import { UNSTAGE } from '../../src/schedule/stages.ts';
import { stream } from '../../src/schedule/stream.ts';
import { randomGraph } from '../support/random-graph.ts';
import { Chain } from './chains.ts';

const GRAPHS = 24;

/** Programs of random graphs, after all passes. */
const PROGRAMS = Array.from({ length: GRAPHS }, (_, seed) =>
  lower(runPasses(randomGraph(seed, 1 + (seed % 12)), 'float')),
);

it('a stream needs no more than the layers one by one, and no less than its live bytes', () => {
  for (const program of PROGRAMS) {
    const { plan: streamed } = stream(program);
    expect(streamed.arenaBytes).toBeLessThanOrEqual(plan(program).arenaBytes);
    expect(streamed.arenaBytes).toBeGreaterThanOrEqual(streamed.liveBytes);
  }
});

it('streaming computes nothing twice and leaves nothing out', () => {
  for (const program of PROGRAMS) {
    const { program: streamed, plan: planned } = stream(program);
    const fired = streamed.calls.map(() => 0);
    for (const { call, count } of planned.schedule) fired[call]! += count;
    const computed = fired.filter((_, call) => streamed.calls[call]!.op !== UNSTAGE);
    expect(computed).toEqual(program.calls.map(({ firings }) => firings));
  }
});

it('gives the same stream again', () => {
  for (const program of PROGRAMS.slice(0, 15)) {
    const [first, again] = [stream(program), stream(program)];
    expect(again.plan).toEqual(first.plan);
    expect(again.program.buffers).toEqual(first.program.buffers);
  }
});

it('streams a program without calls', () => {
  const chain = new Chain();
  const x = chain.input(3);
  expect(stream(chain.finish(x)).plan.arenaBytes).toBe(12);
});

it('reduces a chain of windows to a few rows a layer when rows are pushed', () => {
  const chain = new Chain();
  let x = chain.window(chain.input(64), 3, 2);
  for (let i = 0; i < 3; ++i) x = chain.window(x, 3, 2);
  const program = chain.finish(x);
  // Four rings of three rows of four bytes, and the four rows of the output.
  expect(stream(pushRows(program)).plan.arenaBytes).toBeLessThanOrEqual(4 * (4 * 3 + 4));
  expect(stream(program).plan.arenaBytes).toBeGreaterThanOrEqual(4 * 64);
});

it('takes every row of the input once, from top to bottom, also those that nobody reads', () => {
  const chain = new Chain();
  const program = pushRows(chain.finish(chain.window(chain.input(11), 1, 3)));
  const { program: streamed, plan: planned } = stream(program);
  expect(pushedRows(streamed, planned)).toEqual([...Array(11).keys()]);
});

it('refuses to push rows into two inputs', () => {
  const chain = new Chain();
  const program = chain.finish(chain.add(chain.input(4), chain.input(4)));
  expect(() => pushRows(program)).toThrow('RV3001');
});

function pushedRows({ calls }: Program, { schedule }: ReturnType<typeof plan>): number[] {
  return schedule
    .filter(({ call }) => calls[call]!.kernel === PUSH)
    .flatMap(({ first, count, step }) => Array.from({ length: count }, (_, i) => first + i * step));
}
