/** Where the fast exact requantisation of runtime/rivulet_dsp.h may be used. */
import type { Clamp } from '../ir/attributes.ts';

/** |sum| stays below this: its double must fit int32. */
const LARGEST_SUM = 2 ** 30;
const MOST_SHIFT = 22;

/**
 * The reason why the fast form would not be exact, or undefined.
 * @param reach the largest |sum| any input can give, over all channels; see `largestSum`
 * @param shift -e of every channel, as `multiplierConstants` gives it
 */
export function fastRequantizeProblem(
  reach: number,
  multiplier: ArrayLike<number>,
  shift: ArrayLike<number>,
): string | undefined {
  if (!(reach < LARGEST_SUM)) return `sums reach ${reach}, too large for the fast requantisation`;
  for (let c = 0; c < shift.length; ++c) {
    if (shift[c]! > -1 || shift[c]! < -MOST_SHIFT) return `a shift of ${shift[c]} has no fast requantisation`;
    if (multiplier[c]! <= 0) return 'a multiplier is 0';
  }
  return undefined;
}

/**
 * The largest |bias + sum of w * (x - zeroPoint)| over all channels, any int8 x, and any subset of taps (padding).
 * `weights` [channels][taps].
 */
export function largestSum(weights: ArrayLike<number>, bias: Int32Array, zeroPoint: number): number {
  const taps = weights.length / bias.length;
  const reach = Math.max(127 - zeroPoint, zeroPoint + 128);
  let most = 0;
  for (let c = 0; c < bias.length; ++c) {
    let sum = 0;
    for (let i = c * taps; i < (c + 1) * taps; ++i) sum += Math.abs(weights[i]!);
    most = Math.max(most, Math.abs(bias[c]!) + sum * reach);
  }
  return most;
}

/** Whether a negative tie cannot show: everything below the zero point is clamped to it, and saturation does that. */
export function isRelu(outZeroPoint: number, clamp: Clamp): boolean {
  return outZeroPoint === -128 && clamp[0] === -128;
}
