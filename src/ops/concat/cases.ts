import type { Shape } from '../../ir/types.ts';
import { constant, int8, type OpCase, opCase, uint8 } from '../case.ts';

const JOINS: readonly (readonly [name: string, axis: number, ins: readonly Shape[], y: Shape])[] = [
  [
    'channels',
    3,
    [
      [1, 3, 4, 5],
      [1, 3, 4, 2],
      [1, 3, 4, 1],
    ],
    [1, 3, 4, 8],
  ],
  [
    'channels, width 1',
    3,
    [
      [1, 3, 1, 5],
      [1, 3, 1, 2],
    ],
    [1, 3, 1, 7],
  ],
  [
    'width',
    2,
    [
      [1, 3, 2, 5],
      [1, 3, 4, 5],
    ],
    [1, 3, 6, 5],
  ],
  [
    'height',
    1,
    [
      [1, 2, 3, 5],
      [1, 3, 3, 5],
      [1, 1, 3, 5],
    ],
    [1, 6, 3, 5],
  ],
  [
    'batch',
    0,
    [
      [1, 2, 3, 4],
      [2, 2, 3, 4],
    ],
    [3, 2, 3, 4],
  ],
  [
    'channels, batch 2',
    3,
    [
      [2, 2, 3, 4],
      [2, 2, 3, 3],
    ],
    [2, 2, 3, 7],
  ],
  [
    'height, batch 2',
    1,
    [
      [2, 2, 3, 4],
      [2, 1, 3, 4],
    ],
    [2, 3, 3, 4],
  ],
  ['one input', 3, [[1, 3, 4, 5]], [1, 3, 4, 5]],
  ['vectors', 0, [[4], [1], [7]], [12]],
  [
    'rows of a matrix',
    0,
    [
      [2, 5],
      [3, 5],
    ],
    [5, 5],
  ],
  [
    'columns of a matrix',
    1,
    [
      [4, 2],
      [4, 3],
    ],
    [4, 5],
  ],
  [
    'rank 3, first axis',
    0,
    [
      [2, 3, 4],
      [1, 3, 4],
    ],
    [3, 3, 4],
  ],
  [
    'rank 5, second axis',
    1,
    [
      [2, 1, 2, 3, 2],
      [2, 2, 2, 3, 2],
    ],
    [2, 3, 2, 3, 2],
  ],
];

export const cases: readonly OpCase[] = [
  ...JOINS.map(([name, axis, ins, y]) =>
    opCase(
      name,
      'concat',
      { axis },
      ins.map((shape) => int8(shape)),
      int8(y),
    ),
  ),
  opCase('uint8', 'concat', { axis: 2 }, [uint8([2, 3, 2]), uint8([2, 3, 5])], uint8([2, 3, 7])),
  opCase(
    'constant input',
    'concat',
    { axis: 3 },
    [int8([1, 3, 4, 2]), constant(int8([1, 3, 4, 3]), 1)],
    int8([1, 3, 4, 5]),
  ),
];
