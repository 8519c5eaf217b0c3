import { bias, int8, type OpCase, opCase, weights } from '../case.ts';

const FULL = [-128, 127] as const;
const ONE = [1, 1] as const;
const NONE = [0, 0, 0, 0] as const;

export const cases: readonly OpCase[] = [
  opCase(
    '3x3, same padding, extreme input zero point',
    'conv2d',
    { stride: ONE, dilation: ONE, padding: [1, 1, 1, 1], clamp: FULL },
    [int8([1, 6, 5, 3], 0.02, -128), weights([4, 3, 3, 3], 0, 1), bias(4, 2)],
    int8([1, 6, 5, 4], 0.05, 3),
  ),
  opCase(
    'stride 2 by 1, asymmetric padding, relu6 clamp',
    'conv2d',
    { stride: [2, 1], dilation: ONE, padding: [0, 1, 2, 0], clamp: [-20, 100] },
    [int8([1, 8, 7, 2], 0.03, 127), weights([5, 3, 3, 2], 0, 3), bias(5, 4)],
    int8([1, 4, 7, 5], 0.02, -20),
  ),
  opCase(
    'dilation 2 by 3',
    'conv2d',
    { stride: ONE, dilation: [2, 3], padding: [2, 2, 3, 3], clamp: FULL },
    [int8([1, 7, 9, 2], 0.04, 11), weights([3, 3, 3, 2], 0, 5), bias(3, 6)],
    int8([1, 7, 9, 3], 0.06, -7),
  ),
  opCase(
    'two groups, even window',
    'conv2d',
    { stride: ONE, dilation: ONE, padding: [0, 1, 0, 1], clamp: FULL },
    [int8([1, 5, 5, 6], 0.05, -3), weights([4, 2, 2, 3], 0, 7), bias(4, 8)],
    int8([1, 5, 5, 4], 0.07, 0),
  ),
  opCase(
    'per-tensor weights, no bias, valid padding',
    'conv2d',
    { stride: [2, 2], dilation: ONE, padding: NONE, clamp: FULL },
    [int8([1, 7, 7, 3], 0.05, 5), weights([2, 3, 3, 3], null, 9), null],
    int8([1, 3, 3, 2], 0.08, 127),
  ),
  opCase(
    'window as large as the image',
    'conv2d',
    { stride: ONE, dilation: ONE, padding: NONE, clamp: FULL },
    [int8([1, 4, 3, 5], 0.05, -1), weights([3, 4, 3, 5], 0, 11), bias(3, 12)],
    int8([1, 1, 1, 3], 0.2, 1),
  ),
  opCase(
    'rows of padding alone',
    'conv2d',
    { stride: ONE, dilation: ONE, padding: [3, 3, 1, 1], clamp: FULL },
    [int8([1, 2, 3, 2], 0.05, 40), weights([3, 3, 3, 2], 0, 13), bias(3, 14)],
    int8([1, 6, 3, 3], 0.05, -40),
  ),
  opCase(
    'multiplier above one',
    'conv2d',
    { stride: ONE, dilation: ONE, padding: [0, 0, 1, 1], clamp: FULL },
    [int8([1, 2, 5, 1], 1.5, 2), weights([2, 1, 3, 1], 0, 15, 1.2), bias(2, 16, 40)],
    int8([1, 2, 5, 2], 0.3, -2),
  ),
  opCase(
    'batch 2',
    'conv2d',
    { stride: [2, 2], dilation: ONE, padding: [1, 0, 0, 1], clamp: FULL },
    [int8([2, 5, 6, 2], 0.05, 17), weights([3, 3, 3, 2], 0, 17), bias(3, 18)],
    int8([2, 2, 3, 3], 0.06, 4),
  ),
  opCase(
    'pointwise, odd width and channels',
    'conv2d',
    { stride: ONE, dilation: ONE, padding: NONE, clamp: FULL },
    [int8([1, 3, 5, 7], 0.05, -128), weights([9, 1, 1, 7], 0, 19), bias(9, 20)],
    int8([1, 3, 5, 9], 0.06, 8),
  ),
  opCase(
    'pointwise, a single pixel and channel, no bias',
    'conv2d',
    { stride: ONE, dilation: ONE, padding: NONE, clamp: [-5, 5] },
    [int8([1, 1, 1, 1], 0.5, 6), weights([1, 1, 1, 1], null, 21), null],
    int8([1, 1, 1, 1], 0.01, 0),
  ),
  opCase(
    'pointwise, vertical stride, batch 2',
    'conv2d',
    { stride: [2, 1], dilation: ONE, padding: NONE, clamp: FULL },
    [int8([2, 5, 4, 4], 0.05, 33), weights([6, 1, 1, 4], 0, 23), bias(6, 24)],
    int8([2, 3, 4, 6], 0.06, -33),
  ),
  opCase(
    'pointwise with padding and stride 2',
    'conv2d',
    { stride: [2, 2], dilation: ONE, padding: [1, 1, 1, 1], clamp: FULL },
    [int8([1, 4, 4, 3], 0.05, 9), weights([4, 1, 1, 3], 0, 25), bias(4, 26)],
    int8([1, 3, 3, 4], 0.06, -9),
  ),
  // Widths and channels that kernels take in fours and pairs, with every remainder.
  ...[
    { width: 8, inChannels: 4, channels: 5, padding: [1, 1, 1, 1] as const, zeroPoint: -128 },
    { width: 12, inChannels: 8, channels: 6, padding: [1, 0, 1, 1] as const, zeroPoint: 3 },
    { width: 4, inChannels: 28, channels: 3, padding: [0, 1, 1, 1] as const, zeroPoint: -128 },
  ].map(({ width, inChannels, channels, padding, zeroPoint }, i) =>
    opCase(
      `3x3, rows of ${width}, ${inChannels} to ${channels} channels`,
      'conv2d',
      { stride: ONE, dilation: ONE, padding, clamp: i === 1 ? [-100, 90] : FULL },
      [
        int8([1, 5, width, inChannels], 0.04, 40 * i - 50),
        weights([channels, 3, 3, inChannels], 0, 60 + i),
        bias(channels, 70 + i),
      ],
      int8([1, 3 + padding[0] + padding[1], width, channels], 0.09, zeroPoint),
    ),
  ),
  ...[1, 2, 3, 4, 5, 6, 7, 9].map((width) =>
    opCase(
      `pointwise, rows of ${width}`,
      'conv2d',
      { stride: ONE, dilation: ONE, padding: NONE, clamp: FULL },
      [
        int8([1, 2, width, 4 * width], 0.04, 7 * width - 30),
        weights([3 + width, 1, 1, 4 * width], 0, 80 + width),
        bias(3 + width, 90 + width),
      ],
      int8([1, 2, width, 3 + width], 0.05, width % 2 === 0 ? -128 : 5),
    ),
  ),
];
