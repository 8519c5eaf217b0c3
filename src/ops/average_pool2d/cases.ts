import { int8, type OpCase, opCase } from '../case.ts';

const FULL = [-128, 127] as const;
const NONE = [0, 0, 0, 0] as const;

export const cases: readonly OpCase[] = [
  opCase(
    '2x2, stride 2',
    'average_pool2d',
    { kernel: [2, 2], stride: [2, 2], padding: NONE, clamp: FULL },
    [int8([1, 4, 6, 3], 0.05, 4)],
    int8([1, 2, 3, 3], 0.05, 4),
  ),
  opCase(
    '3x3, stride 1, same padding: borders have fewer taps',
    'average_pool2d',
    { kernel: [3, 3], stride: [1, 1], padding: [1, 1, 1, 1], clamp: FULL },
    [int8([1, 5, 4, 2], 0.05, -128)],
    int8([1, 5, 4, 2], 0.05, -128),
  ),
  opCase(
    '2x3, stride 2 by 1, asymmetric padding, relu6 clamp',
    'average_pool2d',
    { kernel: [2, 3], stride: [2, 1], padding: [0, 1, 0, 2], clamp: [-30, 60] },
    [int8([1, 5, 5, 5], 0.05, -30)],
    int8([1, 3, 5, 5], 0.05, -30),
  ),
  opCase(
    'whole image, rows one at a time',
    'average_pool2d',
    { kernel: [9, 7], stride: [9, 7], padding: NONE, clamp: FULL },
    [int8([1, 9, 7, 5], 0.05, 17)],
    int8([1, 1, 1, 5], 0.05, 17),
  ),
  opCase(
    'tall windows, gaps between them, padded columns, batch 2',
    'average_pool2d',
    { kernel: [5, 4], stride: [6, 3], padding: [0, 0, 1, 2], clamp: [-60, 100] },
    [int8([2, 12, 8, 3], 0.05, -9)],
    int8([2, 2, 3, 3], 0.05, -9),
  ),
  opCase(
    'one row, stride larger than the window',
    'average_pool2d',
    { kernel: [1, 2], stride: [1, 3], padding: NONE, clamp: FULL },
    [int8([1, 3, 8, 2], 0.05, 0)],
    int8([1, 3, 3, 2], 0.05, 0),
  ),
  opCase(
    'window larger than the image',
    'average_pool2d',
    { kernel: [5, 5], stride: [2, 2], padding: [2, 2, 1, 2], clamp: FULL },
    [int8([1, 3, 3, 4], 0.05, 100)],
    int8([1, 2, 1, 4], 0.05, 100),
  ),
  opCase(
    '3x3, same padding, channels in overlapping fours, clamped',
    'average_pool2d',
    { kernel: [3, 3], stride: [2, 1], padding: [1, 1, 1, 1], clamp: [-100, 90] },
    [int8([2, 5, 6, 11], 0.05, -3)],
    int8([2, 3, 6, 11], 0.05, -3),
  ),
  opCase(
    'whole image, rows one at a time, channels in fours',
    'average_pool2d',
    { kernel: [9, 7], stride: [9, 7], padding: NONE, clamp: [-60, 100] },
    [int8([2, 9, 7, 8], 0.05, 17)],
    int8([2, 1, 1, 8], 0.05, 17),
  ),
];
