import type { Clamp, Padding } from '../../ir/attributes.ts';
import { bias, int8, type OpCase, opCase, weights } from '../case.ts';
import { windowOutput } from '../convolution.ts';

const FULL = [-128, 127] as const;
const ONE = [1, 1] as const;
const NONE = [0, 0, 0, 0] as const;

/** A square window over `width` columns and as many rows as fit a test; outputs from the lowest value on are a ReLU. */
function square(
  size: 3 | 5 | 7,
  stride: 1 | 2,
  width: number,
  channels: number,
  padding: Padding,
  clamp: Clamp = FULL,
  outZeroPoint = width % 2 === 0 ? -128 : 5,
): OpCase {
  const seed = 1000 * size + 100 * stride + width;
  const height = 6;
  const rows = windowOutput(height, size, stride, 1, padding[0], padding[1]);
  const columns = windowOutput(width, size, stride, 1, padding[2], padding[3]);
  return opCase(
    `${size}x${size}, stride ${stride}, ${channels} channels of ${width}, padding ${padding}, clamp ${clamp}`,
    'depthwise_conv2d',
    { stride: [stride, stride], dilation: ONE, padding, clamp },
    [
      int8([1, height, width, channels], 0.04, [-128, 127, 13][width % 3]!),
      weights([1, size, size, channels], 3, seed),
      bias(channels, seed + 1),
    ],
    int8([1, rows, columns, channels], 0.02 * size, outZeroPoint),
  );
}

/** Four channels whose multipliers are `scales`. */
function withScales(size: 3 | 5 | 7, scales: readonly number[], name: string, outZeroPoint = -2): OpCase {
  const pad = (size - 1) / 2;
  const filter = weights([1, size, size, 4], 3, size);
  return opCase(
    `${size}x${size}, ${name}`,
    'depthwise_conv2d',
    { stride: ONE, dilation: ONE, padding: [pad, pad, pad, pad], clamp: FULL },
    [
      int8([1, 4, 7, 4], 1, -3),
      { ...filter, quantization: { scales, zeroPoints: [0, 0, 0, 0], axis: 3 } },
      bias(4, 1, 100),
    ],
    int8([1, 4, 7, 4], 1, outZeroPoint),
  );
}

export const cases: readonly OpCase[] = [
  opCase(
    '3x3, same padding, extreme input zero point',
    'depthwise_conv2d',
    { stride: ONE, dilation: ONE, padding: [1, 1, 1, 1], clamp: FULL },
    [int8([1, 6, 5, 3], 0.02, -128), weights([1, 3, 3, 3], 3, 1), bias(3, 2)],
    int8([1, 6, 5, 3], 0.03, 3),
  ),
  opCase(
    '3x3, stride 2, asymmetric padding, relu6 clamp',
    'depthwise_conv2d',
    { stride: [2, 2], dilation: ONE, padding: [0, 1, 0, 1], clamp: [-20, 100] },
    [int8([1, 8, 6, 4], 0.03, 127), weights([1, 3, 3, 4], 3, 3), bias(4, 4)],
    int8([1, 4, 3, 4], 0.02, -20),
  ),
  opCase(
    'channel multiplier 3, per-tensor weights, no bias',
    'depthwise_conv2d',
    { stride: [1, 2], dilation: ONE, padding: [1, 1, 0, 1], clamp: FULL },
    [int8([1, 5, 6, 2], 0.04, 11), weights([1, 3, 2, 6], null, 5), null],
    int8([1, 5, 3, 6], 0.02, 127),
  ),
  opCase(
    'one channel becomes eight',
    'depthwise_conv2d',
    { stride: [2, 2], dilation: ONE, padding: [3, 4, 1, 2], clamp: FULL },
    [int8([1, 11, 9, 1], 0.05, -3), weights([1, 10, 4, 8], 3, 7), bias(8, 8)],
    int8([1, 5, 5, 8], 0.05, 0),
  ),
  opCase(
    'dilation 2 by 3',
    'depthwise_conv2d',
    { stride: ONE, dilation: [2, 3], padding: [2, 2, 3, 3], clamp: FULL },
    [int8([1, 7, 9, 2], 0.05, 5), weights([1, 3, 3, 2], 3, 9), bias(2, 10)],
    int8([1, 7, 9, 2], 0.03, -7),
  ),
  opCase(
    '3x3 with dilation 2 and stride 2',
    'depthwise_conv2d',
    { stride: [2, 2], dilation: [2, 2], padding: [2, 1, 2, 1], clamp: FULL },
    [int8([1, 7, 7, 3], 0.05, 0), weights([1, 3, 3, 3], 3, 11), bias(3, 12)],
    int8([1, 3, 3, 3], 0.05, -40),
  ),
  opCase(
    '5x5 and a plane smaller than the window',
    'depthwise_conv2d',
    { stride: ONE, dilation: ONE, padding: [2, 2, 2, 2], clamp: FULL },
    [int8([1, 2, 3, 5], 0.05, 60), weights([1, 5, 5, 5], 3, 13), bias(5, 14)],
    int8([1, 2, 3, 5], 0.05, 1),
  ),
  opCase(
    'window as large as the image, valid padding',
    'depthwise_conv2d',
    { stride: ONE, dilation: ONE, padding: NONE, clamp: FULL },
    [int8([1, 4, 3, 4], 0.05, -1), weights([1, 4, 3, 4], 3, 15), bias(4, 16)],
    int8([1, 1, 1, 4], 0.05, 1),
  ),
  opCase(
    'multiplier above one, 1x1 window',
    'depthwise_conv2d',
    { stride: ONE, dilation: ONE, padding: NONE, clamp: FULL },
    [int8([1, 2, 5, 3], 1.5, 2), weights([1, 1, 1, 3], 3, 17, 1.2), bias(3, 18, 40)],
    int8([1, 2, 5, 3], 0.3, -2),
  ),
  opCase(
    '3x3, one column',
    'depthwise_conv2d',
    { stride: ONE, dilation: ONE, padding: [1, 1, 1, 1], clamp: FULL },
    [int8([1, 4, 1, 2], 0.05, 9), weights([1, 3, 3, 2], 3, 19), bias(2, 20)],
    int8([1, 4, 1, 2], 0.03, -9),
  ),
  opCase(
    '3x3, one row, valid columns',
    'depthwise_conv2d',
    { stride: ONE, dilation: ONE, padding: [1, 1, 0, 0], clamp: FULL },
    [int8([1, 1, 6, 3], 0.05, -77), weights([1, 3, 3, 3], 3, 21), bias(3, 22)],
    int8([1, 1, 4, 3], 0.03, 12),
  ),
  opCase(
    '3x3, stride 3, wide padding',
    'depthwise_conv2d',
    { stride: [1, 3], dilation: ONE, padding: [2, 2, 2, 2], clamp: FULL },
    [int8([1, 3, 8, 2], 0.05, 33), weights([1, 3, 3, 2], 3, 23), bias(2, 24)],
    int8([1, 5, 4, 2], 0.04, -33),
  ),
  opCase(
    'batch 2',
    'depthwise_conv2d',
    { stride: [2, 1], dilation: ONE, padding: [1, 0, 1, 1], clamp: FULL },
    [int8([2, 6, 4, 3], 0.05, 17), weights([1, 3, 3, 3], 3, 25), bias(3, 26)],
    int8([2, 3, 4, 3], 0.04, 4),
  ),
  // Remainders of the blocks in which windows of 3, 5 and 7 slide; four channels at a time, and those left over.
  square(3, 1, 3, 5, [1, 1, 1, 1]),
  square(3, 1, 10, 4, [1, 1, 1, 1]),
  square(3, 2, 8, 6, [0, 1, 0, 1]),
  square(3, 2, 9, 3, [1, 1, 1, 1]),
  square(5, 1, 1, 4, [2, 2, 2, 2]),
  square(5, 1, 9, 9, [2, 2, 2, 2]),
  square(5, 2, 16, 4, [2, 1, 1, 2]),
  square(7, 1, 3, 5, [3, 3, 3, 3]),
  square(7, 1, 40, 5, [0, 6, 5, 1]),
  square(7, 2, 15, 7, [3, 2, 3, 2]),
  // Rows of padding alone, and outputs that end before the type does.
  square(5, 1, 6, 4, [5, 5, 2, 2]),
  square(7, 2, 6, 4, [7, 0, 3, 3]),
  square(3, 1, 6, 4, [1, 1, 1, 1], [-7, 90], -7),
  square(5, 1, 6, 4, [2, 2, 2, 2], [-128, 40]),
  // What the fast requantisation takes, and what it must not.
  withScales(3, [0.49, 0.3, 2 ** -22, 2 ** -12], 'shifts of 1, 2, 22 and 12'),
  withScales(5, [0.49, 0.3, 2 ** -22, 2 ** -12], 'shifts of 1, 2, 22 and 12'),
  withScales(7, [2 ** -23, 2 ** -27, 0, 2 ** -9], 'channels that no input moves'),
  withScales(3, [0.6, 0.9, 2 ** -1, 2 ** -3], 'no shift, relu', -128),
  withScales(5, [0.6, 0.9, 2 ** -1, 2 ** -3], 'no shift, relu', -128),
  withScales(5, [0.6, 0.9, 2 ** -1, 2 ** -3], 'no shift'),
  withScales(3, [2 ** -5, 1.7, 2 ** -8, 2 ** -8], 'a multiplier above one'),
];
