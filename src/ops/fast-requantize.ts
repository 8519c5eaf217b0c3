/** Where the fast exact requantisation of runtime/rivulet_dsp.h (and rivulet_mve.h) may be used. */
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

/** Multipliers and shifts of every channel with which the fast form is exact, or the reason why there are none. */
export type FastRequantization = { readonly multiplier: Int32Array; readonly shift: Int8Array } | string;

/**
 * A channel whose shift is so large that no input gives anything but the zero point is written as multiplier 0, shift -1.
 * @param reach the largest |sum| of each channel, see `largestSums`
 */
export function fastRequantization(
  reach: readonly number[],
  zeroPoint: number,
  multiplier: Int32Array,
  shift: Int8Array,
): FastRequantization {
  const fast = { multiplier: Int32Array.from(multiplier), shift: Int8Array.from(shift) };
  for (let c = 0; c < shift.length; ++c) {
    const e = -shift[c]!;
    const most = Math.ceil((reach[c]! * multiplier[c]!) / 2 ** 31) + 1;
    if (!(reach[c]! < LARGEST_SUM)) return `sums reach ${reach[c]}, too large for the fast requantisation`;
    if (multiplier[c] === 0 || most < 2 ** (e - 1)) {
      fast.multiplier[c] = 0;
      fast.shift[c] = -1;
    } else if (e < 1 || Math.abs(2 * zeroPoint + 1) * 2 ** (e - 1) + most >= 2 ** 31) {
      return `a shift of ${shift[c]} has no fast requantisation`;
    }
  }
  return fast;
}

/** The largest |bias + sum of w * (x - zeroPoint)| of each channel; see `largestSum`. */
export function largestSums(weights: ArrayLike<number>, bias: Int32Array, zeroPoint: number): number[] {
  const taps = weights.length / bias.length;
  const reach = Math.max(127 - zeroPoint, zeroPoint + 128);
  return Array.from(bias, (b, c) => {
    let sum = 0;
    for (let i = c * taps; i < (c + 1) * taps; ++i) sum += Math.abs(weights[i]!);
    return Math.abs(b) + sum * reach;
  });
}
