import { describe, expect, it } from 'vitest';
import type { Graph, Shape } from '../../src/ir/types.ts';
import { int8 } from '../../src/ops/case.ts';
import { eliminateTranspose } from '../../src/passes/eliminate-transpose.ts';
import { expectRewritten, expectUntouched, FULL, GraphSketch } from './graphs.ts';

/** x transposed by each permutation in turn, then perhaps a mean. */
function transposed(
  shape: Shape,
  permutations: readonly (readonly number[])[],
  mean?: { axes: number[]; out: Shape },
): Graph {
  const g = new GraphSketch();
  let type = int8(shape, 0.05, 3);
  let value = g.input(type);
  for (const permutation of permutations) {
    type = { ...type, shape: permutation.map((d) => type.shape[d]!) };
    value = g.node('transpose', { permutation }, [value], type);
  }
  if (mean === undefined) return g.build(value);
  return g.build(g.node('mean', { axes: mean.axes }, [value], int8(mean.out, 0.04, -3)));
}

describe('eliminate-transpose', () => {
  it.each<[string, Shape, number[]]>([
    ['one channel', [1, 3, 4, 1], [0, 3, 1, 2]],
    ['one pixel', [1, 1, 1, 5], [0, 3, 1, 2]],
    ['the identity', [2, 3, 4], [0, 1, 2]],
  ])('makes a reshape of a transpose of %s', (_, shape, permutation) => {
    expectRewritten(eliminateTranspose, transposed(shape, [permutation]), ['reshape']);
  });

  it('merges there and back into a reshape', () => {
    const graph = transposed(
      [1, 3, 4, 2],
      [
        [0, 3, 1, 2],
        [0, 2, 3, 1],
      ],
    );
    expectRewritten(eliminateTranspose, graph, ['transpose', 'reshape']);
  });

  it('merges chains', () => {
    const graph = transposed(
      [2, 3, 4, 5],
      [
        [1, 2, 3, 0],
        [3, 1, 0, 2],
        [0, 3, 1, 2],
      ],
    );
    const result = expectRewritten(eliminateTranspose, graph, ['transpose', 'transpose', 'transpose']);
    expect(result.nodes[2]!.ins).toEqual(result.inputs);
  });

  it.each<[string, number[], Shape]>([
    ['dropped', [2, 3], [1, 6]],
    ['kept', [2, 3], [1, 6, 1, 1]],
  ])('averages the untransposed axes, %s', (_, axes, out) => {
    const graph = transposed([1, 4, 3, 6], [[0, 3, 1, 2]], { axes, out });
    const result = expectRewritten(eliminateTranspose, graph, ['transpose', 'mean', 'reshape']);
    expect(result.nodes[1]).toMatchObject({ ins: result.inputs, attrs: { axes: [1, 2] } });
  });

  it('averages axes that the transpose swapped', () => {
    const graph = transposed([1, 4, 3, 6], [[0, 2, 1, 3]], { axes: [1, 2], out: [1, 6] });
    const result = expectRewritten(eliminateTranspose, graph, ['transpose', 'mean', 'reshape']);
    expect(result.nodes[1]!.attrs).toEqual({ axes: [1, 2] });
  });

  it('moves a transpose behind a mean where bytes still move', () => {
    const graph = transposed([1, 4, 3, 6], [[0, 3, 1, 2]], { axes: [2], out: [1, 6, 3] });
    expectRewritten(eliminateTranspose, graph, ['transpose', 'mean', 'transpose']);
  });

  it('and shapes it as the mean was', () => {
    const graph = transposed([1, 4, 3, 6], [[0, 3, 1, 2]], { axes: [2], out: [1, 6, 1, 3] });
    expectRewritten(eliminateTranspose, graph, ['transpose', 'mean', 'transpose', 'reshape']);
  });

  it('leaves a transpose that moves bytes', () => {
    expectUntouched(eliminateTranspose, transposed([1, 3, 4, 2], [[0, 3, 1, 2]]));
  });

  it('leaves a mean whose axes were not neighbours before the transpose', () => {
    expectUntouched(
      eliminateTranspose,
      transposed([2, 3, 4, 5], [[0, 2, 1, 3]], { axes: [2, 3], out: [2, 4] }),
    );
  });

  it('leaves transposes with an operator between them', () => {
    const g = new GraphSketch();
    const [image, planar] = [int8([1, 3, 4, 2]), int8([1, 2, 3, 4])];
    const a = g.node('transpose', { permutation: [0, 3, 1, 2] }, [g.input(image)], planar);
    const b = g.node('relu', FULL, [a], planar);
    expectUntouched(
      eliminateTranspose,
      g.build(g.node('transpose', { permutation: [0, 2, 3, 1] }, [b], image)),
    );
  });
});
