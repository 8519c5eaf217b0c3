/** Random programs: the planner always succeeds, and what it plans computes the same as memory where nothing overlaps. */
import { describe, expect, it } from 'vitest';
import { ALIGNMENT, alignUp } from '../../src/plan/place.ts';
import { plan } from '../../src/plan/plan.ts';
import type { Program } from '../../src/program/types.ts';
import { ProgramSketch, randomChain, randomProgram } from './programs.ts';
import { survives } from './replay.ts';
import { randomStream } from './rings.ts';

const PROGRAMS = Number(process.env.RIVULET_FUZZ_PLANS ?? 300);

describe('random programs', () => {
  it('layer by layer: partial writes, any row order, scratch, in-place, state, several outputs', () => {
    for (let seed = 0; seed < PROGRAMS; ++seed) {
      const options = { calls: 1 + (seed % 9), maxRows: 7, maxRowBytes: 9, irregular: true };
      expectGoodPlan(randomProgram(seed, options), `randomProgram(${seed}, ${JSON.stringify(options)})`);
    }
  });

  it('streams: rings that are just long enough, residual skips, in-place', () => {
    for (let seed = 0; seed < PROGRAMS; ++seed) {
      const options = { stages: 2 + (seed % 5), maxRows: 9, maxRowBytes: 7 };
      expectGoodPlan(randomStream(seed, options), `randomStream(${seed}, ${JSON.stringify(options)})`);
    }
  });

  it('a program without calls needs its inputs alone', () => {
    const sketch = new ProgramSketch();
    const x = sketch.buffer(10, 'input');
    expect(plan(sketch.finish([x]))).toMatchObject({ arenaBytes: 12, liveBytes: 10, peakCall: null });
  });

  it('gives the same plan again', () => {
    for (let seed = 0; seed < 20; ++seed) {
      const program = randomProgram(seed, { calls: 6, maxRows: 7, maxRowBytes: 9, irregular: true });
      expect(plan(program)).toEqual(plan(program));
    }
  });
});

describe('chains', () => {
  /** The search is a heuristic; on chains it nearly always meets the bound and never misses it by much. */
  it('need no more than their live bytes', () => {
    let optimal = 0;
    for (let seed = 0; seed < 100; ++seed) {
      const program = randomChain(seed, 2 + (seed % 8));
      const { arenaBytes, liveBytes } = plan(program);
      expect(arenaBytes, `randomChain(${seed})`).toBeLessThanOrEqual(alignUp(1.1 * liveBytes));
      if (arenaBytes === alignUp(liveBytes)) optimal += 1;
    }
    expect(optimal).toBeGreaterThanOrEqual(95);
  });
});

function expectGoodPlan(program: Program, name: string): void {
  const planned = plan(program);
  expect(survives(program, planned), name).toBe(true);
  expect(
    planned.addresses.every((address) => address % ALIGNMENT === 0),
    name,
  ).toBe(true);
  for (const { call, count, step } of planned.schedule) {
    const { reversible, firings } = program.calls[call]!;
    expect(step === 1 || (reversible && count === firings), name).toBe(true);
  }
  expect(planned.liveBytes, name).toBeLessThanOrEqual(planned.arenaBytes);
  expect(Math.max(...planned.liveByCall), name).toBe(planned.liveBytes);
  expect(planned.peakCall === null ? 0 : planned.liveByCall[planned.peakCall], name).toBe(planned.liveBytes);
}
