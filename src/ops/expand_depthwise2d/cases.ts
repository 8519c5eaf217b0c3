import type { Clamp, ExpandDepthwiseAttributes, Padding, Pair } from '../../ir/attributes.ts';
import type { TensorType } from '../../ir/types.ts';
import { bias, type CaseOperand, int8, type OpCase, opCase, weights } from '../case.ts';

const FULL: Clamp = [-128, 127];
const ONE: Pair = [1, 1];
const SAME_3: Padding = [1, 1, 1, 1];

function attributes(
  stride: Pair,
  padding: Padding,
  more: Partial<ExpandDepthwiseAttributes> = {},
): ExpandDepthwiseAttributes {
  return {
    stride,
    padding,
    dilation: ONE,
    clamp: FULL,
    expandClamp: FULL,
    expandedScale: Math.fround(0.06),
    expandedZeroPoint: -128,
    carries: false,
    ...more,
  };
}

/** Constants for `channels` expanded channels; both biases are there, weights have a scale for each channel. */
function constants(inChannels: number, channels: number, kernel: Pair, seed: number) {
  return [
    weights([channels, 1, 1, inChannels], 0, seed),
    bias(channels, seed + 2),
    weights([1, ...kernel, channels], 3, seed + 3),
    bias(channels, seed + 5),
  ];
}

/** The case with rows expanded again for each window, and with rows carried. */
function bothWays(
  name: string,
  attrs: ExpandDepthwiseAttributes,
  operands: readonly CaseOperand[],
  output: TensorType,
): OpCase[] {
  return [
    opCase(name, 'expand_depthwise2d', attrs, operands, output),
    opCase(`${name}, carried`, 'expand_depthwise2d', { ...attrs, carries: true }, operands, output),
  ];
}

export const cases: readonly OpCase[] = [
  ...bothWays(
    '3x3, odd channels, relu6 in between',
    attributes(ONE, SAME_3, { expandClamp: [-128, 80] }),
    [int8([1, 6, 5, 3], 0.02, -128), ...constants(3, 13, [3, 3], 1)],
    int8([1, 6, 5, 13], 0.03, 3),
  ),
  ...bothWays(
    '3x3, stride 2, asymmetric padding, sixteen channels',
    attributes([2, 2], [0, 1, 0, 1], { clamp: [-20, 100], expandedZeroPoint: 40 }),
    [int8([1, 8, 6, 4], 0.03, 127), ...constants(4, 16, [3, 3], 11)],
    int8([1, 4, 3, 16], 0.02, -20),
  ),
  ...bothWays(
    '5x5, stride 2, asymmetric padding',
    attributes([2, 2], [1, 2, 2, 1], { expandedZeroPoint: 127 }),
    [int8([1, 9, 8, 5], 0.05, 7), ...constants(5, 10, [5, 5], 21)],
    int8([1, 4, 4, 10], 0.05, -7),
  ),
  ...bothWays(
    '7x7, a plane smaller than the window',
    attributes(ONE, [3, 3, 3, 3], { expandedZeroPoint: 9 }),
    [int8([1, 3, 4, 2], 0.05, 60), ...constants(2, 9, [7, 7], 31)],
    int8([1, 3, 4, 9], 0.05, 1),
  ),
  ...bothWays(
    'even window, stride 1 by 3, valid rows',
    attributes([1, 3], [0, 0, 1, 0]),
    [int8([1, 5, 9, 3], 0.05, -1), ...constants(3, 7, [2, 4], 41)],
    int8([1, 4, 3, 7], 0.04, 12),
  ),
  opCase(
    'dilation 2 by 3',
    'expand_depthwise2d',
    attributes(ONE, [2, 2, 3, 3], { dilation: [2, 3], expandedZeroPoint: -3 }),
    [int8([1, 7, 9, 2], 0.05, 5), ...constants(2, 6, [3, 3], 51)],
    int8([1, 7, 9, 6], 0.03, -7),
  ),
  ...bothWays(
    'per-tensor weights, no biases, batch 2',
    attributes([2, 1], [1, 0, 1, 1], { expandedZeroPoint: 0 }),
    [
      int8([2, 6, 4, 3], 0.05, 17),
      weights([8, 1, 1, 3], null, 61),
      null,
      weights([1, 3, 3, 8], null, 63),
      null,
    ],
    int8([2, 3, 4, 8], 0.04, 4),
  ),
  ...bothWays(
    'rows of padding alone, expanded values saturate',
    attributes(ONE, [3, 3, 1, 1], { expandedScale: Math.fround(0.004), expandedZeroPoint: -40 }),
    [int8([1, 2, 3, 4], 0.05, 40), ...constants(4, 5, [3, 3], 71)],
    int8([1, 6, 3, 5], 0.003, -40),
  ),
  opCase(
    'a single pixel and channel, 1x1 window',
    'expand_depthwise2d',
    attributes(ONE, [0, 0, 0, 0]),
    [int8([1, 1, 1, 1], 0.5, 6), ...constants(1, 1, [1, 1], 81)],
    int8([1, 1, 1, 1], 0.01, 0),
  ),
  // Input channels in whole fours, square windows: what the DSP extension has kernels for.
  ...bothWays(
    '3x3, relu, odd channels and pixels',
    attributes(ONE, SAME_3, { expandClamp: [-128, 127] }),
    [int8([1, 6, 5, 8], 0.02, -128), ...constants(8, 7, [3, 3], 91)],
    int8([1, 6, 5, 7], 0.03, -128),
  ),
  ...bothWays(
    '5x5, stride 2, clamped in between, batch 2',
    attributes([2, 2], [2, 1, 1, 2], { expandClamp: [-100, 90], expandedZeroPoint: 11 }),
    [int8([2, 7, 12, 4], 0.05, 7), ...constants(4, 6, [5, 5], 101)],
    int8([2, 3, 6, 6], 0.05, -7),
  ),
  ...bothWays(
    '7x7, rows of padding alone',
    attributes(ONE, [5, 5, 3, 3], { expandedZeroPoint: 40 }),
    [int8([1, 3, 6, 12], 0.05, 127), ...constants(12, 5, [7, 7], 111)],
    int8([1, 7, 6, 5], 0.05, 1),
  ),
  ...bothWays(
    '7x7, stride 2 across, planes too large for the stack',
    attributes([1, 2], [3, 3, 3, 2], { expandedZeroPoint: 0 }),
    [int8([1, 5, 80, 4], 0.05, -2), ...constants(4, 3, [7, 7], 121)],
    int8([1, 5, 40, 3], 0.05, 1),
  ),
];
