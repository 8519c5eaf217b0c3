import { bias, int8, type OpCase, opCase, weights } from '../case.ts';

const FULL = [-128, 127] as const;
const NONE = [0, 0, 0, 0] as const;

export const cases: readonly OpCase[] = [
  opCase(
    '3x3, stride 2, same padding',
    'transpose_conv2d',
    { stride: [2, 2], padding: [0, 1, 0, 1], clamp: FULL },
    [int8([1, 3, 4, 3], 0.05, -128), weights([2, 3, 3, 3], 0, 1), bias(2, 2)],
    int8([1, 6, 8, 2], 0.05, 3),
  ),
  opCase(
    '2x2, stride 2, valid padding, no bias',
    'transpose_conv2d',
    { stride: [2, 2], padding: NONE, clamp: FULL },
    [int8([1, 3, 2, 5], 0.05, 7), weights([4, 2, 2, 5], 0, 3), null],
    int8([1, 6, 4, 4], 0.05, -3),
  ),
  opCase(
    'stride 1, same padding, relu clamp',
    'transpose_conv2d',
    { stride: [1, 1], padding: [1, 1, 1, 1], clamp: [-10, 127] },
    [int8([1, 4, 5, 2], 0.05, 127), weights([3, 3, 3, 2], 0, 5), bias(3, 6)],
    int8([1, 4, 5, 3], 0.05, -10),
  ),
  opCase(
    'stride larger than the window: gaps are the bias',
    'transpose_conv2d',
    { stride: [3, 4], padding: NONE, clamp: FULL },
    [int8([1, 2, 3, 2], 0.05, -1), weights([2, 2, 1, 2], 0, 7), bias(2, 8)],
    int8([1, 6, 10, 2], 0.02, 1),
  ),
  opCase(
    'stride 1 by 3, large window, output wider than the input reaches',
    'transpose_conv2d',
    { stride: [1, 3], padding: [2, 2, 1, 0], clamp: FULL },
    [int8([1, 3, 2, 1], 0.05, 40), weights([2, 5, 4, 1], 0, 9), bias(2, 10)],
    int8([1, 5, 9, 2], 0.04, 20),
  ),
  opCase(
    'per-tensor weights, a single pixel',
    'transpose_conv2d',
    { stride: [2, 2], padding: NONE, clamp: FULL },
    [int8([1, 1, 1, 6], 0.05, 12), weights([3, 4, 4, 6], null, 11), bias(3, 12)],
    int8([1, 4, 4, 3], 0.05, 0),
  ),
  opCase(
    'multiplier above one',
    'transpose_conv2d',
    { stride: [2, 1], padding: [1, 0, 0, 0], clamp: FULL },
    [int8([1, 3, 3, 2], 1.5, 2), weights([1, 3, 1, 2], 0, 13, 1.2), bias(1, 14, 40)],
    int8([1, 5, 3, 1], 0.3, -2),
  ),
  opCase(
    'batch 2',
    'transpose_conv2d',
    { stride: [2, 2], padding: [0, 1, 0, 1], clamp: FULL },
    [int8([2, 2, 3, 2], 0.05, 17), weights([3, 3, 3, 2], 0, 15), bias(3, 16)],
    int8([2, 4, 6, 3], 0.05, 4),
  ),
];
