/** Piecewise linear activations. docs/numerics.md, section 3; multipliers in float32 as TFLM computes them. */
import { quantizeMultiplier, requantize } from '../../core/fixedpoint.ts';
import type { TensorType } from '../../ir/types.ts';
import { clampProblem } from '../bytes.ts';
import { multiplierProblem, scaleOf, zeroPointOf } from '../quantization.ts';
import { lookupOperator } from './lookup.ts';

/** y = clamp(Z_out + MBQM(q - Z_in, M, s), lo, hi), m = S_in / S_out. */
export const relu = lookupOperator({
  name: 'relu',
  problem: ({ clamp }, x, y) => clampProblem(clamp) ?? multiplierProblem([scaleRatio(x, y)]),
  evaluate({ clamp: [lowest, highest] }, x, y) {
    const multiplier = quantizeMultiplier(scaleRatio(x, y));
    const [zeroIn, zeroOut] = [zeroPointOf(x), zeroPointOf(y)];
    return (q) => Math.min(highest, Math.max(lowest, zeroOut + requantize(q - zeroIn, multiplier)));
  },
});

/** With d = q - Z_in: Z_out + MBQM(d, S_in / S_out) for d >= 0, else Z_out ± MBQM(d, S_in * |alpha| / S_out). */
export const leakyRelu = lookupOperator({
  name: 'leaky_relu',
  problem: ({ alpha }, x, y) => multiplierProblem([scaleRatio(x, y), slopeRatio(alpha, x, y)]),
  evaluate({ alpha }, x, y) {
    const identity = quantizeMultiplier(scaleRatio(x, y));
    const slope = quantizeMultiplier(Math.abs(slopeRatio(alpha, x, y)));
    const sign = alpha < 0 ? -1 : 1;
    const [zeroIn, zeroOut] = [zeroPointOf(x), zeroPointOf(y)];
    return (q) => {
      const d = q - zeroIn;
      return zeroOut + (d >= 0 ? requantize(d, identity) : sign * requantize(d, slope));
    };
  },
});

function scaleRatio(x: TensorType, y: TensorType): number {
  return Math.fround(scaleOf(x) / scaleOf(y));
}

function slopeRatio(alpha: number, x: TensorType, y: TensorType): number {
  return Math.fround(Math.fround(scaleOf(x) * Math.fround(alpha)) / scaleOf(y));
}
