import { describe, expect, it } from 'vitest';
import { int8 } from '../../src/ops/case.ts';
import { eliminateReshape } from '../../src/passes/eliminate-reshape.ts';
import { expectRewritten, expectUntouched, FULL, GraphSketch } from './graphs.ts';

const X = int8([1, 3, 2, 4]);
const FLAT = int8([1, 24]);

describe('eliminate-reshape', () => {
  it('makes chains one', () => {
    const g = new GraphSketch();
    const x = g.input(X);
    const a = g.node('reshape', {}, [x], FLAT);
    const b = g.node('reshape', {}, [a], int8([2, 12]));
    const result = expectRewritten(eliminateReshape, g.build(g.node('relu', FULL, [b], int8([2, 12]))), [
      'reshape',
      'reshape',
      'relu',
    ]);
    expect(result.nodes[1]!.ins).toEqual([x]);
  });

  it('drops reshapes there and back', () => {
    const g = new GraphSketch();
    const x = g.input(X);
    const back = g.node('reshape', {}, [g.node('reshape', {}, [x], FLAT)], X);
    const result = expectRewritten(eliminateReshape, g.build(g.node('relu', FULL, [back], X)), [
      'reshape',
      'relu',
    ]);
    expect(result.nodes[1]!.ins).toEqual([x]);
  });

  it('leaves a reshape to the same shape that is an output', () => {
    const g = new GraphSketch();
    expectUntouched(eliminateReshape, g.build(g.node('reshape', {}, [g.input(X)], X)));
  });

  it('leaves a reshape that only adds a dimension', () => {
    const g = new GraphSketch();
    const y = g.node('reshape', {}, [g.input(FLAT)], int8([1, 24, 1]));
    expectUntouched(eliminateReshape, g.build(g.node('relu', FULL, [y], int8([1, 24, 1]))));
  });

  it('leaves a reshape to the same shape that changes what the raw values mean', () => {
    const g = new GraphSketch();
    const other = int8(X.shape, 0.2, 30);
    const y = g.node('reshape', {}, [g.input(X)], other);
    expectUntouched(eliminateReshape, g.build(g.node('tanh', {}, [y], int8(X.shape, 1 / 128, 0))));
  });

  it('gives a chain the quantisation of its end', () => {
    const g = new GraphSketch();
    const a = g.node('reshape', {}, [g.input(X)], int8([24], 0.3, 9));
    const b = g.node('reshape', {}, [a], int8([1, 24], 0.01, -3));
    const y = g.node('logistic', {}, [b], int8([1, 24], 1 / 256, -128));
    expectRewritten(eliminateReshape, g.build(y), ['reshape', 'reshape', 'logistic']);
  });
});
