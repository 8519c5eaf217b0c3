import type { Clamp } from '../../ir/attributes.ts';
import type { Shape } from '../../ir/types.ts';
import { constant, int8, type OpCase, opCase } from '../case.ts';
import type { ElementwiseOp } from './arithmetic.ts';

const FULL: Clamp = [-128, 127];

/** Shapes of both operands and the output that show every way of broadcasting. */
const BROADCASTS: readonly (readonly [name: string, a: Shape, b: Shape, y: Shape])[] = [
  ['same shape', [1, 3, 5, 7], [1, 3, 5, 7], [1, 3, 5, 7]],
  ['one value per channel', [1, 3, 5, 7], [7], [1, 3, 5, 7]],
  ['one value per channel first', [1, 1, 1, 7], [1, 3, 5, 7], [1, 3, 5, 7]],
  ['one value per pixel', [2, 3, 5, 7], [2, 3, 5, 1], [2, 3, 5, 7]],
  ['one value per column', [1, 3, 5, 7], [5, 1], [1, 3, 5, 7]],
  ['one value per row, batch 2', [2, 3, 5, 4], [1, 3, 1, 1], [2, 3, 5, 4]],
  ['one value per image, batch 2', [2, 1, 1, 1], [2, 3, 2, 4], [2, 3, 2, 4]],
  ['each repeats the other', [1, 3, 1, 7], [2, 1, 5, 1], [2, 3, 5, 7]],
  ['a single channel', [1, 3, 5, 1], [1, 3, 1, 1], [1, 3, 5, 1]],
  ['scalar', [9], [], [9]],
  ['rank 2', [4, 6], [4, 1], [4, 6]],
  ['rank 5', [2, 1, 2, 3, 4], [3, 1, 3, 1], [2, 3, 2, 3, 4]],
];

/** Scales and zero points (a, b, output), and the bounds of a fused activation. */
const SCALES: readonly (readonly [name: string, [number, number][], Clamp])[] = [
  [
    'extreme zero points',
    [
      [0.03, -128],
      [0.05, 127],
      [0.06, -128],
    ],
    FULL,
  ],
  [
    'scales far apart',
    [
      [0.9, 4],
      [0.0007, -9],
      [0.4, 12],
    ],
    FULL,
  ],
  [
    'equal scales',
    [
      [0.05, 127],
      [0.05, -128],
      [0.07, 1],
    ],
    FULL,
  ],
  [
    'the first operand is the finer, relu',
    [
      [0.02, -128],
      [0.07, 5],
      [0.05, -128],
    ],
    FULL,
  ],
  [
    'a scale too small to count',
    [
      [1e-12, 4],
      [0.9, -9],
      [0.4, 12],
    ],
    FULL,
  ],
  [
    'output saturates',
    [
      [0.5, 0],
      [0.4, 0],
      [0.01, 5],
    ],
    FULL,
  ],
  [
    'fused activation',
    [
      [0.04, -3],
      [0.04, 8],
      [0.05, -10],
    ],
    [-10, 110],
  ],
];

function clamped(op: 'add' | 'sub' | 'mul'): readonly OpCase[] {
  return [
    ...BROADCASTS.map(([name, a, b, y]) =>
      opCase(name, op, { clamp: FULL }, [int8(a, 0.04, 3), int8(b, 0.03, -5)], int8(y, 0.06, 2)),
    ),
    ...SCALES.map(([name, [a, b, y], clamp]) =>
      opCase(
        name,
        op,
        { clamp },
        [int8([1, 2, 6, 5], ...a!), int8([1, 2, 6, 5], ...b!)],
        int8([1, 2, 6, 5], ...y!),
      ),
    ),
    opCase(
      'negative ties of the finer operand',
      op,
      { clamp: FULL },
      [int8([1, 2, 6, 5], 2 ** -20), { ...int8([1, 2, 6, 5], 1), data: new Int8Array(60) }],
      int8([1, 2, 6, 5], 2 ** -17),
    ),
    opCase(
      'constant second operand',
      op,
      { clamp: FULL },
      [int8([1, 3, 4, 5], 0.04, 3), constant(int8([5], 0.02, 7), 1)],
      int8([1, 3, 4, 5], 0.06, 2),
    ),
    opCase(
      'constant first operand',
      op,
      { clamp: FULL },
      [constant(int8([1, 3, 4, 5], 0.02, 7), 2), int8([2, 3, 4, 5], 0.04, 3)],
      int8([2, 3, 4, 5], 0.06, 2),
    ),
  ];
}

function compared(op: 'maximum' | 'minimum'): readonly OpCase[] {
  return BROADCASTS.map(([name, a, b, y]) =>
    opCase(name, op, {}, [int8(a, 0.04, 3), int8(b, 0.04, 3)], int8(y, 0.04, 3)),
  );
}

const prelu: readonly OpCase[] = [
  opCase(
    'slope per channel',
    'prelu',
    {},
    [int8([1, 3, 5, 4], 0.05, -4), constant(int8([1, 1, 4], 0.004, 0), 3)],
    int8([1, 3, 5, 4], 0.03, 6),
  ),
  opCase(
    'slope per element, batch 2',
    'prelu',
    {},
    [int8([2, 3, 5, 4], 0.05, 127), constant(int8([3, 5, 4], 0.01, -20), 4)],
    int8([2, 3, 5, 4], 0.05, 127),
  ),
  opCase(
    'computed slope',
    'prelu',
    {},
    [int8([6, 5], 0.05, -128), int8([1], 0.02, 9)],
    int8([6, 5], 0.2, -128),
  ),
];

export const cases: { readonly [K in ElementwiseOp]: readonly OpCase[] } = {
  add: clamped('add'),
  sub: clamped('sub'),
  mul: clamped('mul'),
  maximum: compared('maximum'),
  minimum: compared('minimum'),
  prelu,
};
