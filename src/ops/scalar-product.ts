/** The constants that the matrix products of runtime/rivulet_scalar.h read. */
import type { KernelConstant } from './definition.ts';
import type { Channels } from './fast-requantize.ts';

export interface ScalarProduct {
  /** int8 [pairs of channels][terms][2]. */
  readonly weights: KernelConstant;
  /** int32 [pairs of channels][5]: biases, multipliers, shifts. */
  readonly channels: KernelConstant;
}

/** Packed already: schedules are searched by lowering a graph many times. */
const packed = new WeakMap<Int8Array, KernelConstant>();

/**
 * @param channels weights int8 [channels][taps], biases for values x + 128, requantisation as `fastChannels` allows it
 */
export function packScalarProduct(channels: Channels): ScalarProduct {
  const { weights, bias, multiplier, shift } = channels;
  const known = packed.get(weights) ?? { role: 'weights', data: interleave(weights, bias.length) };
  packed.set(weights, known);
  const table = pairsOf(bias.length).flatMap(([a, b]) => [
    ...[bias[a]!, bias[b]!, multiplier[a]!, multiplier[b]!],
    -shift[a]! | (-shift[b]! << 8),
  ]);
  return { weights: known, channels: { role: 'weights', data: Int32Array.from(table) } };
}

/**
 * The largest magnitude a partial sum can have, over all channels, with values x + 128 in [0, 255]: from the bias for these
 * values, in any order.
 */
export function largestPartialSum({ weights, bias }: Channels, zeroPoint: number): number {
  const taps = weights.length / bias.length;
  let most = 0;
  for (let c = 0; c < bias.length; ++c) {
    let sum = 0;
    let magnitudes = 0;
    for (let k = c * taps; k < (c + 1) * taps; ++k) {
      sum += weights[k]!;
      magnitudes += Math.abs(weights[k]!);
    }
    most = Math.max(most, Math.abs(bias[c]! - (zeroPoint + 128) * sum) + 255 * magnitudes);
  }
  return most;
}

/** Terms of a product with `taps` weights a channel. */
export function scalarTerms(taps: number): number {
  return Math.ceil(taps / 4) * 4;
}

function interleave(weights: Int8Array, channels: number): Int8Array {
  const taps = weights.length / channels;
  const terms = scalarTerms(taps);
  const pairs = pairsOf(channels);
  const interleaved = new Int8Array(pairs.length * terms * 2);
  pairs.flat().forEach((channel, i) => {
    for (let k = 0; k < taps; ++k) {
      interleaved[((i >> 1) * terms + k) * 2 + (i & 1)] = weights[channel * taps + k]!;
    }
  });
  return interleaved;
}

/** Two channels at a time; the last of an odd number with itself. */
function pairsOf(channels: number): [number, number][] {
  return Array.from({ length: Math.ceil(channels / 2) }, (_, pair): [number, number] => [
    2 * pair,
    Math.min(2 * pair + 1, channels - 1),
  ]);
}
