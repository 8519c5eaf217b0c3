/** What fused activations mean in units of a quantised output. */
import { clamp, roundHalfAway } from '../core/fixedpoint.ts';
import type { Clamp } from '../ir/attributes.ts';
import type { TensorType } from '../ir/types.ts';
import { rangeOf, scaleOf, zeroPointOf } from './quantization.ts';

/** Real bounds by name. */
const REAL_BOUNDS: Readonly<Record<string, Clamp>> = {
  NONE: [-Infinity, Infinity],
  RELU: [0, Infinity],
  RELU6: [0, 6],
  RELU_N1_TO_1: [-1, 1],
};

/**
 * Lowest and highest value that an activation leaves: real for float32; for int8 and uint8 raw, z(f) = Z + round(f / S) in
 * float32 (`CalculateActivationRangeQuantized` of TFLite). Undefined for other activations.
 */
export function activationBounds(activation: string, output: TensorType): Clamp | undefined {
  const real = REAL_BOUNDS[activation];
  if (real === undefined || output.dtype === 'float32') return real;
  const [lowest, highest] = rangeOf(output.dtype === 'uint8' ? 'uint8' : 'int8');
  const raw = (bound: number, end: number): number =>
    Number.isFinite(bound)
      ? clamp(zeroPointOf(output) + roundHalfAway(Math.fround(bound / scaleOf(output))), lowest, highest)
      : end;
  return [raw(real[0], lowest), raw(real[1], highest)];
}
