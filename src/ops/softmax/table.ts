import {
  INT32_MAX,
  type Multiplier,
  quantizeMultiplier,
  roundingDoublingHighMul,
} from '../../core/fixedpoint.ts';
import { expOfNegative } from '../../core/transcendental.ts';

/** Differences to the maximum are scaled to F5: 5 integer bits and 26 fraction bits. */
const INTEGER_BITS = 5;
const FRACTION_BITS = 31 - INTEGER_BITS;

/** beta * S_in with 26 fraction bits (`PreprocessSoftmaxScaling` of TFLite); must exceed 1. */
export function softmaxScale(beta: number, scale: number): number {
  return Math.min(beta * scale * 2 ** FRACTION_BITS, INT32_MAX);
}

/**
 * exp(beta * S_in * -i) with 31 fraction bits for i = 0 to 255; 0 below exp(-31), where TFLite gives up: such elements
 * neither count nor get a probability.
 */
export function softmaxTable(beta: number, scale: number): Int32Array {
  const { multiplier, shift }: Multiplier = quantizeMultiplier(softmaxScale(beta, scale));
  const deepest = -Math.floor((31 * 2 ** FRACTION_BITS) / 2 ** shift);
  return Int32Array.from({ length: 256 }, (_, i) =>
    -i < deepest ? 0 : expOfNegative(roundingDoublingHighMul(-i * 2 ** shift, multiplier), INTEGER_BITS),
  );
}
