import { INT32_MAX } from '../../core/fixedpoint.ts';
import { softmaxTable } from '../softmax/table.ts';

/** Fraction bits of exponentials, of probabilities and of the logits' scale. */
export const FRACTION_BITS = 24;

/** exp(-scale * d) with 24 fraction bits for d = 0 to 255; 0 below exp(-31). `scale` exceeds 2^-26. */
export function exponentials(scale: number): Int32Array {
  return softmaxTable(1, scale).map((e) => ((e >> 6) + 1) >> 1);
}

/** `scale` with 24 fraction bits, saturated: beyond 128 it only makes the loss saturate too. */
export function logitStep(scale: number): number {
  return Math.min(Math.round(scale * 2 ** FRACTION_BITS), INT32_MAX);
}
