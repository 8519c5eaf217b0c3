/**
 * Channels whose accumulators may leave int32. A dead channel has weights of almost 0, so its scale is tiny and its bias, in
 * units of that scale, saturates at the end of int32: the first product would make it wrap. In formats whose own arithmetic
 * has wider accumulators that is legal. Such a channel has one result whatever the input is (a value below the lower
 * clamp, or a constant brightness), and so it has an equivalent at a quarter of its resolution that int32 holds.
 */
import { clamp, roundHalfAway } from '../core/fixedpoint.ts';

/** Of a convolution; weights are [channels][taps], multiplier[c] = S_in * S_w[c] / S_out in double. */
export interface ChannelParameters {
  readonly weights: Int8Array;
  readonly bias: Int32Array;
  /** float32 values held as numbers. */
  readonly scales: readonly number[];
}

/** How a convolution's input and output are quantised, as int8. */
export interface ChannelContext {
  readonly inputScale: number;
  readonly inputZeroPoint: number;
  readonly outputScale: number;
  readonly outputZeroPoint: number;
}

/** Accumulators below it are safe in every kernel: those that round fast need the highest bit but one. */
const SAFE = 2 ** 30;
/** Accumulators at or above it do not exist in int32. */
const LIMIT = 2 ** 31;
/** Steps of a resolution that replace one: the largest bias, 2^31, has to come well below `SAFE`. */
const COARSER = 4;
/** Output steps by which roundings of any kind (double rounding, float32, halves to even) may differ before the last. */
const MARGIN = 1 / 64;

/**
 * The same parameters with every saturated channel at a quarter of its resolution: scale times 4, weights and bias divided
 * by 4 and rounded. That is done only where the result is one and the same number for all inputs, before and after and
 * under any rounding, so it is exact; real values of weights, bias and output stay what they were.
 * @returns with it the channels that cannot be helped: sums that leave int32, and a result that depends on them
 */
export function coarsenSaturated(
  given: ChannelParameters,
  context: ChannelContext,
): { parameters: ChannelParameters; overflowing: number[] } {
  const taps = given.weights.length / given.bias.length;
  const weights = given.weights.slice();
  const bias = given.bias.slice();
  const scales = [...given.scales];
  const overflowing: number[] = [];
  for (let c = 0; c < bias.length; ++c) {
    const own = given.weights.subarray(c * taps, (c + 1) * taps);
    const sums = sumsOf(own, bias[c]!, context.inputZeroPoint);
    const largest = Math.max(Math.abs(sums[0]), Math.abs(sums[1]));
    if (largest < SAFE) continue;
    const coarse = {
      weights: own.map((w) => roundHalfAway(w / COARSER)),
      bias: roundHalfAway(bias[c]! / COARSER),
      scale: Math.fround(scales[c]! * COARSER),
    };
    const result = constantResult(sums, scales[c]!, context);
    const coarseSums = sumsOf(coarse.weights, coarse.bias, context.inputZeroPoint);
    if (result !== undefined && result === constantResult(coarseSums, coarse.scale, context)) {
      weights.set(coarse.weights, c * taps);
      bias[c] = coarse.bias;
      scales[c] = coarse.scale;
    } else if (largest >= LIMIT) {
      overflowing.push(c);
    }
  }
  return { parameters: { weights, bias, scales }, overflowing };
}

/** Least and greatest accumulator over all int8 inputs; padding, which adds 0, lies between. */
function sumsOf(weights: Int8Array, bias: number, inputZeroPoint: number): readonly [number, number] {
  let [least, greatest] = [bias, bias];
  for (const w of weights) {
    const ends = [w * (-128 - inputZeroPoint), w * (127 - inputZeroPoint)];
    least += Math.min(...ends);
    greatest += Math.max(...ends);
  }
  return [least, greatest];
}

/** The one result that all these sums have; undefined if there are several, or roundings might not agree. */
function constantResult(
  [least, greatest]: readonly [number, number],
  scale: number,
  { inputScale, outputScale, outputZeroPoint }: ChannelContext,
): number | undefined {
  const multiplier = (inputScale * scale) / outputScale;
  const [a, b] = [least * multiplier - MARGIN, greatest * multiplier + MARGIN].map((steps) =>
    clamp(roundHalfAway(steps) + outputZeroPoint, -128, 127),
  );
  return a === b ? a : undefined;
}
