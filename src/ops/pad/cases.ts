import type { Shape } from '../../ir/types.ts';
import { int8, type OpCase, opCase, uint8 } from '../case.ts';

const PADS: readonly (readonly [name: string, x: Shape, before: number[], after: number[], value: number])[] =
  [
    ['rows and columns', [1, 3, 4, 5], [0, 1, 2, 0], [0, 2, 1, 0], 0],
    ['rows alone', [1, 3, 4, 2], [0, 2, 0, 0], [0, 0, 0, 0], -128],
    ['columns alone, batch 2', [2, 3, 4, 2], [0, 0, 1, 0], [0, 0, 3, 0], 127],
    ['channels', [1, 2, 3, 4], [0, 0, 0, 3], [0, 0, 0, 2], -7],
    ['channels before alone', [1, 2, 3, 4], [0, 0, 0, 1], [0, 0, 0, 0], 5],
    ['all dimensions, batch included', [2, 2, 3, 4], [1, 2, 1, 1], [1, 0, 2, 3], 33],
    ['nothing', [1, 2, 3, 4], [0, 0, 0, 0], [0, 0, 0, 0], 9],
    ['vector', [5], [2], [3], -1],
    ['matrix', [3, 4], [1, 2], [2, 1], -1],
    ['rank 3', [2, 3, 4], [1, 1, 0], [1, 0, 1], 64],
    ['rank 5', [2, 2, 1, 3, 2], [0, 1, 1, 1, 1], [1, 0, 1, 0, 1], 3],
  ];

export const cases: readonly OpCase[] = [
  ...PADS.map(([name, x, before, after, value]) =>
    opCase(
      name,
      'pad',
      { before, after, value },
      [int8(x, 0.05, -7)],
      int8(
        x.map((size, d) => before[d]! + size + after[d]!),
        0.05,
        -7,
      ),
    ),
  ),
  opCase('uint8', 'pad', { before: [1, 1], after: [0, 2], value: 200 }, [uint8([3, 4])], uint8([4, 7])),
];
