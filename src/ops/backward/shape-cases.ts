/** Cases of gradients of operators that change shapes, and of softmax. */
import type { Pair } from '../../ir/attributes.ts';
import { constant, int8, type OpCase, opCase } from '../case.ts';
import { gradient, gradientScale, zeroGradient } from '../gradient-case.ts';

interface Resizing {
  readonly from: Pair;
  readonly to: Pair;
  readonly channels?: number;
  readonly alignCorners?: boolean;
  readonly halfPixelCenters?: boolean;
  readonly shift?: number;
}

const RESIZINGS: Readonly<Record<string, Resizing>> = {
  'twice as large': { from: [3, 4], to: [6, 8] },
  'half-pixel centres': { from: [3, 4], to: [6, 9], halfPixelCenters: true, shift: 14 },
  'aligned corners': { from: [4, 3], to: [7, 5], alignCorners: true, channels: 1 },
  'aligned corners, one output': { from: [4, 3], to: [1, 1], alignCorners: true },
  'smaller, pixels that nothing reads': { from: [7, 9], to: [3, 2], shift: 11 },
  'from one pixel': { from: [1, 1], to: [9, 11], shift: 20 },
  'from one pixel to many': { from: [1, 1], to: [130, 131], channels: 1, halfPixelCenters: true },
  'the same size': { from: [2, 3], to: [2, 3] },
};

function resizeCases(
  op: 'quantized_resize_nearest_gradient' | 'quantized_resize_bilinear_gradient',
): OpCase[] {
  return Object.entries(RESIZINGS).map(([name, resizing]) => {
    const { from, to, channels = 3, alignCorners = false, halfPixelCenters = false, shift = 0 } = resizing;
    const operands = [gradient([1, ...to, channels]), gradientScale(-15), gradientScale(0, shift)];
    return opCase(name, op, { alignCorners, halfPixelCenters }, operands, gradient([1, ...from, channels]));
  });
}

export const resizeNearestCases = resizeCases('quantized_resize_nearest_gradient');
export const resizeBilinearCases = resizeCases('quantized_resize_bilinear_gradient');

function softmax(name: string, shape: readonly number[], shift: number): OpCase {
  const operands = [int8(shape, 1 / 256, -128), gradient(shape), gradientScale(-9), gradientScale(0, shift)];
  return opCase(name, 'quantized_softmax_gradient', {}, operands, gradient(shape));
}

/** The probabilities are any bytes: sums that no softmax reaches are cut off. */
export const softmaxCases: readonly OpCase[] = [
  softmax('one vector', [1, 10], 0),
  softmax('a vector for each pixel', [1, 3, 2, 5], 17),
  softmax('one value', [4, 1], 3),
  softmax('as many values as there can be', [1, 4095], 0),
  opCase(
    'the largest sum',
    'quantized_softmax_gradient',
    {},
    [
      { ...constant(int8([1, 4095], 1 / 256, -128), 1), data: new Int8Array(4095).fill(127) },
      { ...zeroGradient([1, 4095]), data: new Int8Array(4095).fill(-128, 1) },
      gradientScale(-9),
      gradientScale(0, 20),
    ],
    gradient([1, 4095]),
  ),
];
