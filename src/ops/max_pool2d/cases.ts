import { int8, type OpCase, opCase } from '../case.ts';

const FULL = [-128, 127] as const;
const NONE = [0, 0, 0, 0] as const;

export const cases: readonly OpCase[] = [
  opCase(
    '2x2, stride 2',
    'max_pool2d',
    { kernel: [2, 2], stride: [2, 2], padding: NONE, clamp: FULL },
    [int8([1, 4, 6, 3], 0.05, 4)],
    int8([1, 2, 3, 3], 0.05, 4),
  ),
  opCase(
    '3x3, stride 2, same padding',
    'max_pool2d',
    { kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], clamp: FULL },
    [int8([1, 5, 7, 2], 0.05, -128)],
    int8([1, 3, 4, 2], 0.05, -128),
  ),
  opCase(
    '2x3, stride 2 by 1, asymmetric padding, relu6 clamp, batch 2',
    'max_pool2d',
    { kernel: [2, 3], stride: [2, 1], padding: [0, 1, 0, 2], clamp: [-30, 60] },
    [int8([2, 5, 5, 5], 0.05, -30)],
    int8([2, 3, 5, 5], 0.05, -30),
  ),
  opCase(
    'whole image',
    'max_pool2d',
    { kernel: [6, 5], stride: [1, 1], padding: NONE, clamp: FULL },
    [int8([1, 6, 5, 7], 0.05, 17)],
    int8([1, 1, 1, 7], 0.05, 17),
  ),
  opCase(
    'one column, window larger than the image',
    'max_pool2d',
    { kernel: [4, 3], stride: [1, 2], padding: [2, 1, 1, 1], clamp: FULL },
    [int8([1, 3, 1, 2], 0.05, 0)],
    int8([1, 3, 1, 2], 0.05, 0),
  ),
  opCase(
    '3x2, padding, channels in overlapping fours, clamped',
    'max_pool2d',
    { kernel: [3, 2], stride: [2, 1], padding: [1, 1, 0, 1], clamp: [-60, 100] },
    [int8([2, 5, 6, 11], 0.05, -3)],
    int8([2, 3, 6, 11], 0.05, -3),
  ),
];
