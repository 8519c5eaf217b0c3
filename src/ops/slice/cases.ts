import type { Shape } from '../../ir/types.ts';
import { int8, type OpCase, opCase, uint8 } from '../case.ts';

const SLICES: readonly (readonly [
  name: string,
  x: Shape,
  begin: readonly number[],
  strides: readonly number[],
  y: Shape,
])[] = [
  ['everything', [1, 3, 4, 5], [0, 0, 0, 0], [1, 1, 1, 1], [1, 3, 4, 5]],
  ['rows', [1, 7, 4, 5], [0, 2, 0, 0], [1, 1, 1, 1], [1, 3, 4, 5]],
  ['columns', [1, 3, 7, 5], [0, 0, 2, 0], [1, 1, 1, 1], [1, 3, 4, 5]],
  ['channels', [1, 3, 4, 7], [0, 0, 0, 2], [1, 1, 1, 1], [1, 3, 4, 3]],
  ['all dimensions, batch 3', [3, 4, 5, 6], [1, 1, 1, 1], [1, 1, 1, 1], [2, 2, 3, 4]],
  ['strides', [3, 7, 9, 8], [0, 1, 0, 1], [2, 2, 3, 3], [2, 3, 3, 3]],
  ['every direction reversed', [2, 3, 4, 5], [1, 2, 3, 4], [-1, -1, -1, -1], [2, 3, 4, 5]],
  ['negative strides', [1, 7, 8, 9], [0, 6, 7, 8], [1, -2, -3, -4], [1, 4, 3, 3]],
  ['one element', [2, 3, 4, 5], [1, 2, 1, 3], [1, 1, 1, 1], [1, 1, 1, 1]],
  ['vector', [9], [7], [-2], [4]],
  ['matrix', [6, 5], [1, 0], [2, 1], [3, 5]],
  ['rank 3', [4, 3, 5], [1, 1, 0], [1, 1, 2], [2, 2, 3]],
  ['rank 5', [2, 3, 2, 3, 4], [0, 2, 1, 0, 1], [1, -1, 1, 2, 1], [2, 3, 1, 2, 3]],
];

export const cases: readonly OpCase[] = [
  ...SLICES.map(([name, x, begin, strides, y]) =>
    opCase(name, 'slice', { begin, strides }, [int8(x)], int8(y)),
  ),
  opCase('uint8', 'slice', { begin: [0, 1], strides: [1, 1] }, [uint8([3, 4])], uint8([3, 2])),
];
