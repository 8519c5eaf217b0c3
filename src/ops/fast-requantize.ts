/** Where the fast exact requantisation of runtime/rivulet_dsp.h (and rivulet_mve.h) may be used. */
import { requantize } from '../core/fixedpoint.ts';
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

/** What a convolution or dense layer computes, channel by channel. */
export interface Channels {
  /** int8 [channels][taps]. */
  readonly weights: Int8Array;
  readonly bias: Int32Array;
  readonly multiplier: Int32Array;
  /** TFLite's: negative to the right. */
  readonly shift: Int8Array;
}

/**
 * The same function in a form for which the fast requantisation is exact, or the reason why there is none. Channels that
 * give one value for every input (large biases, vanishing scales) are written anew: weights 0, and
 * 4 (value - zero point) * 2^30 * 2^-32, which is exact. Weights keep their identity where nothing changes.
 * @param inZeroPoint of the values that weights multiply, any int8, any subset of taps (padding)
 * @param leastShift the smallest e the kernel can take, 0 or 1
 */
export function fastChannels(
  channels: Channels,
  inZeroPoint: number,
  outZeroPoint: number,
  clamp: Clamp,
  leastShift = 1,
): Channels | string {
  const { weights, bias, multiplier, shift } = channels;
  const taps = weights.length / bias.length;
  const reach = Math.max(127 - inZeroPoint, inZeroPoint + 128);
  const fast = {
    bias: Int32Array.from(bias),
    multiplier: Int32Array.from(multiplier),
    shift: Int8Array.from(shift),
  };
  const constants: number[] = [];
  for (let c = 0; c < bias.length; ++c) {
    const spread = reach * sumOfMagnitudes(weights, c * taps, taps);
    const value = constantOutput(bias[c]! - spread, bias[c]! + spread, c);
    if (value !== undefined) {
      constants.push(c);
      fast.bias[c] = 4 * (value - outZeroPoint);
      fast.multiplier[c] = 2 ** 30;
      fast.shift[c] = -1;
      continue;
    }
    const sum = Math.abs(bias[c]!) + spread;
    const e = -shift[c]!;
    const most = Math.ceil((sum * multiplier[c]!) / 2 ** 31) + 1;
    if (sum >= LARGEST_SUM) return `sums reach ${sum}, too large for the fast requantisation`;
    if (e < leastShift || Math.abs(2 * outZeroPoint + 1) * 2 ** (e - 1) + most >= 2 ** 31) {
      return `a shift of ${shift[c]} has no fast requantisation`;
    }
  }
  return { weights: constants.length === 0 ? weights : withoutWeights(weights, constants, taps), ...fast };

  /** The output for every sum in [low, high], if it is one: requantisation never falls where sums rise. */
  function constantOutput(low: number, high: number, c: number): number | undefined {
    if (low < -(2 ** 31) || high >= 2 ** 31 || shift[c]! > 0) return undefined;
    const output = (sum: number): number =>
      Math.min(
        clamp[1],
        Math.max(clamp[0], requantize(sum, { multiplier: multiplier[c]!, shift: shift[c]! }) + outZeroPoint),
      );
    const value = output(low);
    return value === output(high) ? value : undefined;
  }
}

function sumOfMagnitudes(weights: Int8Array, start: number, count: number): number {
  let sum = 0;
  for (let i = start; i < start + count; ++i) sum += Math.abs(weights[i]!);
  return sum;
}

/** Copies, by the weights and the channels that are cleared: packed forms are cached by the identity of weights. */
const cleared = new WeakMap<Int8Array, Map<string, Int8Array>>();

function withoutWeights(weights: Int8Array, channels: readonly number[], taps: number): Int8Array {
  const known = cleared.get(weights) ?? new Map<string, Int8Array>();
  cleared.set(weights, known);
  const key = channels.join();
  const copy = known.get(key) ?? weights.slice();
  if (!known.has(key)) for (const c of channels) copy.fill(0, c * taps, (c + 1) * taps);
  known.set(key, copy);
  return copy;
}
