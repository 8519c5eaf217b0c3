/** Which rows a row needs, and the order in which a group fires: demand-driven, nothing twice, nothing early. */
import { describe, expect, it } from 'vitest';
import type { Program } from '../../src/program/types.ts';
import { dependencies } from '../../src/schedule/dependencies.ts';
import { pullOrder, runsOf } from '../../src/schedule/pull.ts';
import { upTo } from '../plan/programs.ts';
import { Chain } from './chains.ts';

/** [first, last] firing of `producer` that each firing of `call` needs. */
function needsOf(program: Program, call: number, producer: number): [number, number][] {
  const need = dependencies(program)[call]!.find((candidate) => candidate.producer === producer)!;
  return upTo(need.first.length).map((y) => [need.first[y]!, need.last[y]!]);
}

describe('dependencies', () => {
  it('of a window are clipped to the plane', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(4), 1);
    const program = chain.finish(chain.window(a, 3));
    expect(needsOf(program, 1, 0)).toEqual([
      [0, 1],
      [0, 2],
      [1, 3],
      [2, 3],
    ]);
  });

  it('leave out what a stride larger than the kernel skips', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(8), 1);
    const program = chain.finish(chain.window(a, 1, 3));
    expect(needsOf(program, 1, 0)).toEqual([
      [0, 0],
      [3, 3],
      [6, 6],
    ]);
  });

  it('are none where all of the window is padding', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(2), 1);
    const program = chain.finish(chain.pick(a, [-1, 0, 1, -1]));
    expect(needsOf(program, 1, 0)).toEqual([
      [-1, -1],
      [0, 0],
      [1, 1],
      [-1, -1],
    ]);
  });

  it('of a row written in parts are all parts', () => {
    const chain = new Chain();
    const x = chain.input(3);
    const [a, b] = [chain.window(x, 1), chain.window(x, 1)];
    const program = chain.finish(chain.window(chain.columns([a, b]), 1));
    expect(dependencies(program)[4]!.map(({ producer }) => producer)).toEqual([2, 3]);
    for (const part of [2, 3]) expect(needsOf(program, 4, part)).toEqual(upTo(3).map((y) => [y, y]));
  });

  it('see through a reshape: bytes count, not rows', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(4, 6), 1);
    const out = chain.tensor(3, 8);
    chain.call([{ ...a, rowBytes: 8, rows: [0, 1, 2] }], { ...out, rows: [0, 1, 2] });
    expect(needsOf(chain.finish(out), 1, 0)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it('of a whole tensor are all its rows', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(5), 1);
    expect(needsOf(chain.finish(chain.whole(a)), 1, 0)).toEqual([[0, 4]]);
  });
});

/** The calls in firing order, all of them in one group. */
function fire(program: Program, reverse = false): string {
  const group = { first: 0, last: program.calls.length - 1, reverse };
  return pullOrder(program.calls, dependencies(program), group).join('');
}

describe('pull order', () => {
  it('fires a window as soon as its last row is there', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(4), 1);
    expect(fire(chain.finish(chain.window(a, 3)))).toBe('00101011');
  });

  it('computes rows that nobody reads: when they are passed, or at the end', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(8), 1);
    expect(fire(chain.finish(chain.window(a, 1, 3)))).toBe('01' + '0001' + '0001' + '0');
  });

  it('adds a residual as soon as the branch has caught up', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(4), 1);
    const b = chain.window(chain.window(a, 3), 3);
    expect(fire(chain.finish(chain.add(a, b)))).toBe('0010123' + '0123' + '123' + '23');
  });

  it('repeats the consumer of an upsampled row', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(3), 1);
    expect(fire(chain.finish(chain.upsample(a, 2)))).toBe('011011011');
  });

  it('asks the output that is least far along, the later of equals', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(4), 1);
    const [b, c] = [chain.window(a, 1), chain.window(a, 1, 2)];
    expect(fire(chain.finish(b, c))).toBe('01' + '2' + '01' + '01' + '2' + '01');
  });

  it('writes all parts of a row before it is read', () => {
    const chain = new Chain();
    const x = chain.input(2);
    const joined = chain.columns([chain.window(x, 1), chain.window(x, 1)]);
    expect(fire(chain.finish(chain.window(joined, 1)))).toBe('02134'.repeat(2));
  });

  it('fires a whole reader last', () => {
    const chain = new Chain();
    const a = chain.window(chain.input(3), 1);
    expect(fire(chain.finish(chain.whole(a)))).toBe('0001');
  });

  it('leaves what earlier groups made alone', () => {
    const chain = new Chain();
    const program = chain.finish(chain.window(chain.window(chain.input(3), 1), 3));
    const needs = dependencies(program);
    expect(pullOrder(program.calls, needs, { first: 1, last: 1, reverse: false })).toEqual([1, 1, 1]);
  });

  describe('bottom-up', () => {
    /** Stride 2 over 4 rows with the padding below, as TensorFlow has it: the two directions differ. */
    function strided(): Program {
      const chain = new Chain();
      return chain.finish(chain.window(chain.window(chain.input(4), 1), 3, 2, 0));
    }

    it('asks from the last row on', () => {
      expect(fire(strided())).toBe('0001' + '01');
      expect(fire(strided(), true)).toBe('001' + '001');
    });

    it('becomes runs that descend', () => {
      const program = strided();
      const group = { first: 0, last: 1, reverse: true };
      expect(runsOf(program.calls, group, pullOrder(program.calls, dependencies(program), group))).toEqual([
        { call: 0, first: 3, count: 2, step: -1 },
        { call: 1, first: 1, count: 1, step: -1 },
        { call: 0, first: 1, count: 2, step: -1 },
        { call: 1, first: 0, count: 1, step: -1 },
      ]);
    });
  });
});
