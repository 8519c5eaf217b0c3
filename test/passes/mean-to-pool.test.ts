import { describe, expect, it } from 'vitest';
import type { Graph, Shape, TensorType } from '../../src/ir/types.ts';
import { averageOf } from '../../src/ops/average_pool2d/reference.ts';
import { int8 } from '../../src/ops/case.ts';
import { meanOf, meanParameters } from '../../src/ops/mean/reference.ts';
import { meanToPool } from '../../src/passes/mean-to-pool.ts';
import { expectRewritten, expectUntouched, GraphSketch } from './graphs.ts';

const TYPE = (shape: Shape) => int8(shape, 0.05, -128);

function averaged(x: TensorType, axes: readonly number[], y: TensorType): Graph {
  const g = new GraphSketch();
  return g.build(g.node('mean', { axes }, [g.input(x)], y));
}

/** Whether some sum of `count` raw values gives different bytes in the two operators. */
function differs(type: TensorType, count: number): boolean {
  const parameters = meanParameters(type, type, count);
  for (let sum = -128 * count; sum <= 127 * count; ++sum) {
    if (averageOf(sum, count) !== meanOf(sum, parameters)) return true;
  }
  return false;
}

describe('mean-to-pool', () => {
  it('makes one pooling of a mean over height and width', () => {
    const graph = averaged(TYPE([2, 3, 1, 4]), [1, 2], TYPE([2, 1, 1, 4]));
    const result = expectRewritten(meanToPool, graph, ['average_pool2d']);
    expect(result.nodes[0]!.attrs).toMatchObject({ kernel: [3, 1], padding: [0, 0, 0, 0] });
  });

  it('reshapes where the mean drops its dimensions', () => {
    expectRewritten(meanToPool, averaged(TYPE([1, 1, 3, 4]), [1, 2], TYPE([1, 4])), [
      'average_pool2d',
      'reshape',
    ]);
  });

  it('leaves exactly the sizes and zero points at which a sum rounds otherwise', () => {
    const verdicts = [1, 2, 3, 4, 5, 7, 9, 16, 25, 49].flatMap((width) =>
      [-128, -1, 0, 127].map((zeroPoint) => {
        const x = int8([1, 1, width, 2], 0.05, zeroPoint);
        const y = int8([1, 1, 1, 2], 0.05, zeroPoint);
        const graph = averaged(x, [1, 2], y);
        const unsafe = differs(x, width);
        if (unsafe) expectUntouched(meanToPool, graph);
        else expectRewritten(meanToPool, graph, ['average_pool2d']);
        return unsafe;
      }),
    );
    expect(new Set(verdicts)).toEqual(new Set([true, false]));
  });

  const REFUSED: Readonly<Record<string, () => Graph>> = {
    'another scale': () => averaged(TYPE([1, 3, 1, 4]), [1, 2], int8([1, 4], 0.04, -128)),
    'a scale that differs by less than any raw value shows': () =>
      averaged(TYPE([1, 1, 1, 4]), [1, 2], int8([1, 4], 0.0500001, -128)),
    'another zero point': () => averaged(TYPE([1, 3, 1, 4]), [1, 2], int8([1, 4], 0.05, -127)),
    'height alone': () => averaged(TYPE([1, 3, 1, 4]), [1], TYPE([1, 1, 4])),
    'channels too': () => averaged(TYPE([1, 3, 1, 4]), [1, 2, 3], TYPE([1, 1, 1, 1])),
    'width and channels': () => averaged(TYPE([1, 3, 1, 4]), [2, 3], TYPE([1, 3])),
    'three dimensions': () => averaged(TYPE([4, 3, 1]), [1, 2], TYPE([4])),
  };
  it.each(Object.entries(REFUSED))('leaves a mean with %s', (_, graph) =>
    expectUntouched(meanToPool, graph()));
});
