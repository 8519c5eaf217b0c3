/**
 * Constants of the Helium kernels (runtime/rivulet_mve*.h), packed in the order in which they are read: one stream of words
 * a layer, biases first, then weights, then multipliers and shifts, for every four or sixteen output channels.
 */
import { type Multiplier, quantizeMultiplier } from '../core/fixedpoint.ts';
import type { KernelConstant } from './definition.ts';

export const VECTOR_BYTES = 16;
/** Layers that need less share one constant. */
const PADDING_BYTES = 512;
/** Bias, multiplier and shift of a channel. */
const BYTES_OF_SCALING = 9;

/** One output channel: what the sum of its products starts from, and how it is scaled. */
export interface ChannelScaling {
  /** The zero point of the input folded in. */
  readonly bias: Int32Array;
  /** The real multiplier of each channel. */
  readonly multipliers: readonly number[];
}

/** At least `bytes` of the zero point, for rows and pixels outside the plane. */
export function paddingOf(bytes: number, zeroPoint: number): KernelConstant {
  const length = Math.ceil(bytes / PADDING_BYTES) * PADDING_BYTES;
  return { role: 'table', data: new Int8Array(length).fill(zeroPoint) };
}

/** The reason why the vector requantisation would not be exact, or undefined. */
export function vectorRequantizeProblem(multipliers: readonly number[]): string | undefined {
  const bad = multipliers.find((real) => !mayScale(quantizeMultiplier(real)));
  return bad === undefined ? undefined : `a multiplier of ${bad} is not below 1/2`;
}

/** A multiplier of 0 is the same with any shift. */
function mayScale({ multiplier, shift }: Multiplier): boolean {
  return multiplier === 0 || (multiplier > 0 && shift <= -1);
}

/**
 * Weights [channels][runs][length] as `rv_mve_dense` and `rv_mve_dot4` read them: for each four channels bias int32[4], for
 * each run weights int8[length / 16 rounded up][4][16], multiplier int32[4], shift int8[4].
 */
export function packDense(
  weights: Int8Array,
  runs: number,
  length: number,
  scaling: ChannelScaling,
): KernelConstant {
  const channels = scaling.bias.length;
  const padded = Math.ceil(length / VECTOR_BYTES) * VECTOR_BYTES;
  return packBlocks(
    scaling,
    4,
    4 * runs * padded,
    (first) => first,
    (block, into) => {
      for (let lane = 0; lane < Math.min(4, channels - block); ++lane) {
        for (let run = 0; run < runs; ++run) {
          const from = ((block + lane) * runs + run) * length;
          for (let k = 0; k < length; ++k) {
            const vector = 4 * (run * padded + k - (k % VECTOR_BYTES)) + lane * VECTOR_BYTES;
            into[vector + (k % VECTOR_BYTES)] = weights[from + k]!;
          }
        }
      }
    },
  );
}

/**
 * Weights [taps][channels] as `rv_mve_window` reads them: for each sixteen channels bias int32[16], weights int8[taps][16]
 * with taps rounded up to even, then multiplier int32[4] and shift int8[4] four times; all but the weights in the order of
 * `rv_mve_channel`.
 */
export function packDepthwise(weights: Int8Array, scaling: ChannelScaling): KernelConstant {
  const channels = scaling.bias.length;
  const taps = weights.length / channels;
  const channelOf = (i: number): number => 4 * (i & 3) + 2 * ((i >> 2) & 1) + (i >> 3);
  return packBlocks(
    scaling,
    VECTOR_BYTES,
    2 * VECTOR_BYTES * Math.ceil(taps / 2),
    channelOf,
    (block, into) => {
      for (let tap = 0; tap < taps; ++tap) {
        const from = tap * channels + block;
        const lanes = Math.min(VECTOR_BYTES, channels - block);
        into.set(weights.subarray(from, from + lanes), tap * VECTOR_BYTES);
      }
    },
  );
}

/** Blocks of `lanes` channels, `weightBytes` of weights in each; lane i of block b has channel b + channelOf(i). */
function packBlocks(
  { bias, multipliers }: ChannelScaling,
  lanes: number,
  weightBytes: number,
  channelOf: (lane: number) => number,
  fill: (firstChannel: number, into: Int8Array) => void,
): KernelConstant {
  const blocks = Math.ceil(bias.length / lanes);
  const blockBytes = lanes * BYTES_OF_SCALING + weightBytes;
  const bytes = new ArrayBuffer(blocks * blockBytes);
  const view = new DataView(bytes);
  for (let block = 0; block < blocks; ++block) {
    const biases = block * blockBytes;
    const weights = biases + 4 * lanes;
    fill(block * lanes, new Int8Array(bytes, weights, weightBytes));
    for (let lane = 0; lane < lanes; ++lane) {
      const channel = block * lanes + channelOf(lane);
      if (channel >= bias.length) continue;
      const { multiplier, shift } = quantizeMultiplier(multipliers[channel]!);
      const group = weights + weightBytes + 20 * (lane >> 2);
      view.setInt32(biases + 4 * lane, bias[channel]!, true);
      view.setInt32(group + 4 * (lane & 3), multiplier, true);
      view.setInt8(group + 16 + (lane & 3), multiplier === 0 ? -1 : shift);
    }
  }
  return { role: 'weights', data: new Int32Array(bytes) };
}
