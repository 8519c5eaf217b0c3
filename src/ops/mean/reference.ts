import { clamp, type Multiplier, quantizeMultiplier, requantize } from '../../core/fixedpoint.ts';
import type { TensorType } from '../../ir/types.ts';
import type { ReferenceView } from '../definition.ts';
import { scaleOf, zeroPointOf } from '../quantization.ts';

/** A mean is clamp(MBQM(sum of raw values + sumOffset, multiplier) + outZeroPoint). */
export interface MeanParameters {
  readonly sumOffset: number;
  readonly multiplier: Multiplier;
  readonly outZeroPoint: number;
}

/**
 * The parameters of a mean of `count` values. S_in / S_out is divided by `count` in fixed point as `QuantizedMeanOrSum`
 * of TFLite does it: shifted left by as many bits as the division takes away, then divided without rounding.
 */
export function meanParameters(x: TensorType, y: TensorType, count: number): MeanParameters {
  const { multiplier, shift } = quantizeMultiplier(scaleOf(x) / scaleOf(y));
  const extra = Math.min(Math.floor(Math.log2(count)), 32, 31 + shift);
  const divided = (BigInt(multiplier) << BigInt(extra)) / BigInt(count);
  return {
    sumOffset: -zeroPointOf(x) * count,
    multiplier: { multiplier: Number(divided), shift: shift - extra },
    outZeroPoint: zeroPointOf(y),
  };
}

/** The mean of values whose raw sum is `sum`. */
export function meanOf(sum: number, { sumOffset, multiplier, outZeroPoint }: MeanParameters): number {
  return clamp(requantize(sum + sumOffset, multiplier) + outZeroPoint, -128, 127);
}

/** Over `axes`; x and y of any rank. */
export function meanReference({ attrs, ins, outs }: ReferenceView<'mean'>): void {
  const [x, y] = [ins[0]!, outs[0]!];
  const sums = new Int32Array(y.data.length);
  const input = x.data as Int8Array;
  input.forEach((value, i) => {
    sums[outputIndex(x.shape, attrs.axes, i)]! += value;
  });
  const parameters = meanParameters(x, y, input.length / sums.length);
  sums.forEach((sum, i) => {
    y.data[i] = meanOf(sum, parameters);
  });
}

/** Where element `index` of a row-major tensor lands when the dimensions `axes` are dropped. */
function outputIndex(shape: readonly number[], axes: readonly number[], index: number): number {
  let rest = index;
  let place = 1;
  let target = 0;
  for (let dimension = shape.length - 1; dimension >= 0; --dimension) {
    const size = shape[dimension]!;
    if (!axes.includes(dimension)) {
      target += (rest % size) * place;
      place *= size;
    }
    rest = Math.floor(rest / size);
  }
  return target;
}
