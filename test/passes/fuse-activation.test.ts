import { describe, expect, it } from 'vitest';
import type { Clamp } from '../../src/ir/attributes.ts';
import type { Graph, TensorType } from '../../src/ir/types.ts';
import { int8 } from '../../src/ops/case.ts';
import { fuseActivation } from '../../src/passes/fuse-activation.ts';
import { expectRewritten, expectUntouched, FULL, GraphSketch, POOL } from './graphs.ts';

const X = int8([1, 3, 4, 2], 0.05, -10);

/** relu(x + x) with bounds of both, and the sum or its double as further outputs. */
function activated(
  own: Clamp,
  clamp: Clamp,
  out: TensorType = X,
  also: 'nothing' | 'output' | 'reader' = 'nothing',
): Graph {
  const g = new GraphSketch();
  const x = g.input(X);
  const sum = g.node('add', { clamp: own }, [x, x], X);
  const y = g.node('relu', { clamp }, [sum], out);
  if (also === 'output') return g.build(y, sum);
  if (also === 'reader') return g.build(y, g.node('add', FULL, [sum, sum], X));
  return g.build(y);
}

describe('fuse-activation', () => {
  it.each<[string, Clamp, Clamp, Clamp]>([
    ['relu', [-128, 127], [-10, 127], [-10, 127]],
    ['inside the bounds that are there', [-50, 60], [-10, 20], [-10, 20]],
    ['around the bounds that are there', [-5, 20], [-10, 90], [-5, 20]],
    ['above the bounds that are there', [-100, -50], [-10, 90], [-10, -10]],
    ['below the bounds that are there', [100, 120], [-10, 90], [90, 90]],
  ])('makes a clamp part of the operator before it: %s', (_, own, clamp, expected) => {
    const result = expectRewritten(fuseActivation, activated(own, clamp), ['add']);
    expect(result.nodes[0]!.attrs).toEqual({ clamp: expected });
  });

  it('fuses chains, a quantize to the same type and a leaky relu with slope 1', () => {
    const g = new GraphSketch();
    const pooled = g.node('max_pool2d', POOL, [g.input(X)], { ...X, shape: [1, 2, 3, 2] });
    const type = { ...X, shape: [1, 2, 3, 2] };
    const a = g.node('quantize', {}, [pooled], type);
    const b = g.node('relu', { clamp: [-10, 100] }, [a], type);
    const c = g.node('leaky_relu', { alpha: 1 }, [b], type);
    const result = expectRewritten(fuseActivation, g.build(g.node('relu', { clamp: [-20, 50] }, [c], type)), [
      'max_pool2d',
    ]);
    expect(result.nodes[0]!.attrs).toMatchObject({ clamp: [-10, 50] });
  });

  const REFUSED: Readonly<Record<string, () => Graph>> = {
    'an activation with another scale': () => activated([-128, 127], [-10, 127], int8(X.shape, 0.06, -10)),
    'one whose scale differs by less than any raw value shows': () =>
      activated([-128, 127], [-10, 127], int8(X.shape, 0.0500001, -10)),
    'an activation with another zero point': () =>
      activated([-128, 127], [-10, 127], int8(X.shape, 0.05, -9)),
    'an operand that is an output': () => activated([-128, 127], [-10, 127], X, 'output'),
    'an operand with another reader': () => activated([-128, 127], [-10, 127], X, 'reader'),
    'an activation that is no clamp': () => {
      const g = new GraphSketch();
      const sum = g.node('add', FULL, [g.input(X), g.input(X)], X);
      return g.build(g.node('leaky_relu', { alpha: 0.5 }, [sum], X));
    },
    'an operator before it that has no bounds': () => {
      const g = new GraphSketch();
      const most = g.node('maximum', {}, [g.input(X), g.input(X)], X);
      return g.build(g.node('relu', { clamp: [-10, 127] }, [most], X));
    },
    'an activation of an input': () => {
      const g = new GraphSketch();
      return g.build(g.node('relu', { clamp: [-10, 127] }, [g.input(X)], X));
    },
  };
  it.each(Object.entries(REFUSED))('leaves %s', (_, graph) => expectUntouched(fuseActivation, graph()));
});
