import { describe, expect, it } from 'vitest';
import { int8 } from '../../src/ops/case.ts';
import { eliminateDead } from '../../src/passes/eliminate-dead.ts';
import { expectRewritten, expectUntouched, FULL, GraphSketch } from './graphs.ts';

const X = int8([1, 3, 2, 2]);

describe('eliminate-dead', () => {
  it('removes chains that reach no output, with their values', () => {
    const g = new GraphSketch();
    const x = g.input(X);
    const dead = g.node('tanh', {}, [x], int8(X.shape, 1 / 128, 0));
    const deader = g.node('relu', FULL, [dead], int8(X.shape, 1 / 128, 0));
    const y = g.node('add', FULL, [x, x], X);
    const result = expectRewritten(eliminateDead, g.build(y), ['add']);
    expect([dead, deader].some((id) => result.values.has(id))).toBe(false);
  });

  it('keeps inputs that nothing reads any more', () => {
    const g = new GraphSketch();
    const [unused, x] = [g.input(X), g.input(X)];
    g.node('relu', FULL, [unused], X);
    const result = expectRewritten(eliminateDead, g.build(g.node('relu', FULL, [x], X)), ['relu']);
    expect(result.inputs).toEqual([unused, x]);
  });

  it('leaves what outputs need, directly or not', () => {
    const g = new GraphSketch();
    const x = g.input(X);
    const a = g.node('relu', FULL, [x], X);
    const b = g.node('relu', FULL, [a], X);
    expectUntouched(eliminateDead, g.build(a, g.node('add', FULL, [b, x], X)));
  });
});
