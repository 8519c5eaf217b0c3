import type { Shape } from '../../ir/types.ts';
import { int8, type OpCase, opCase, uint8 } from '../case.ts';

const TRANSPOSITIONS: readonly (readonly [name: string, x: Shape, permutation: readonly number[]])[] = [
  ['matrix', [4, 7], [1, 0]],
  ['planar to pixels', [1, 5, 3, 4], [0, 2, 3, 1]],
  ['pixels to planar, batch 2', [2, 3, 4, 5], [0, 3, 1, 2]],
  ['height and width', [1, 3, 5, 4], [0, 2, 1, 3]],
  ['reversed', [2, 3, 4, 5], [3, 2, 1, 0]],
  ['identity', [2, 3, 4, 5], [0, 1, 2, 3]],
  ['rank 3', [3, 4, 5], [2, 0, 1]],
  ['rank 5', [2, 3, 1, 4, 2], [4, 1, 3, 0, 2]],
  ['rank 6', [2, 1, 3, 2, 2, 3], [5, 0, 3, 2, 4, 1]],
  ['vector', [5], [0]],
];

export const cases: readonly OpCase[] = [
  ...TRANSPOSITIONS.map(([name, x, permutation]) =>
    opCase(name, 'transpose', { permutation }, [int8(x)], int8(permutation.map((d) => x[d]!))),
  ),
  opCase('uint8', 'transpose', { permutation: [1, 2, 0] }, [uint8([2, 3, 4])], uint8([3, 4, 2])),
];
