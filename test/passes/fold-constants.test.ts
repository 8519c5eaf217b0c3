import { describe, expect, it } from 'vitest';
import { constant, int8 } from '../../src/ops/case.ts';
import { foldConstants } from '../../src/passes/fold-constants.ts';
import { runReference } from '../../src/run/reference.ts';
import { expectRewritten, expectUntouched, FULL, GraphSketch } from './graphs.ts';

const X = int8([1, 2, 3, 4]);

describe('fold-constants', () => {
  it('computes whole subexpressions', () => {
    const g = new GraphSketch();
    const c = g.constant(constant(int8([4], 0.03, 5), 1));
    const product = g.node('mul', FULL, [c, c], int8([4], 0.05, -9));
    const squashed = g.node('tanh', {}, [product], int8([4], 1 / 128, 0));
    const graph = g.build(g.node('add', FULL, [g.input(X), squashed], X));
    const result = expectRewritten(foldConstants, graph, ['add']);
    expect(result.values.get(squashed)).toMatchObject({ role: 'const', quantization: { scales: [1 / 128] } });
  });

  it('computes outputs that depend on no input', () => {
    const g = new GraphSketch();
    const graph = g.build(g.node('relu', FULL, [g.constant(constant(X, 2))], X));
    expect(runReference(expectRewritten(foldConstants, graph, []), [])).toEqual(runReference(graph, []));
  });

  it('leaves operators with an operand that is not known', () => {
    const g = new GraphSketch();
    const sum = g.node('add', FULL, [g.input(X), g.constant(constant(X, 3))], X);
    expectUntouched(foldConstants, g.build(g.node('mul', FULL, [sum, g.constant(constant(X, 4))], X)));
  });
});
