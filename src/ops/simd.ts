/** Constants of the kernels for vectors (isa `simd`), as runtime/rivulet_simd.h describes them. */
import type { TypedArray } from '../core/dtype.ts';
import {
  clamp,
  INT32_MAX,
  INT32_MIN,
  type Multiplier,
  quantizeMultiplier,
  requantize,
} from '../core/fixedpoint.ts';
import type { Clamp } from '../ir/attributes.ts';
import type { TensorType, Value } from '../ir/types.ts';
import { biasOf } from './convolution.ts';
import type { KernelConstant } from './definition.ts';
import { zeroPointOf } from './quantization.ts';

/** Channels of a vector. */
export const LANES = 8;
/** Inputs of one lane's dot product. */
const QUAD = 4;
/** What `rv_value_quads` adds to an input. */
const VALUE_OFFSET = 128;
/** Rows of RV_CHANNEL_TABLE: bias, scale, multiplier, offset, negative, shift. */
const TABLE_ROWS = 6;

/** A sum and what becomes of it. */
export interface SummedChannel {
  readonly bias: number;
  /** Bounds of the sum over all inputs, zero points taken off. */
  readonly lowest: number;
  readonly highest: number;
  readonly multiplier: Multiplier;
}

/** How all channels of a layer end. */
export interface OutputRange {
  readonly zeroPoint: number;
  readonly clamp: Clamp;
}

/** The fields of rv_scaling for one lane. */
export interface Scaling {
  readonly scale: number;
  readonly multiplier: number;
  readonly offset: number;
  readonly negative: number;
}

/** The fields of rv_scaling for lanes that share a shift. */
export interface Rescaling {
  readonly lanes: readonly Scaling[];
  readonly shift: number;
}

/** The constants that requantise as TFLite does for every possible sum, or the reason why there are none. */
export function rescaling(channels: readonly SummedChannel[], output: OutputRange): Rescaling | string {
  const constants = channels.map((channel) => constantResult(channel, output));
  const live = channels.filter((_, i) => constants[i] === undefined);
  if (live.some(({ multiplier: { multiplier, shift } }) => multiplier < 0 || shift > 0)) {
    return 'a multiplier is 1 or more';
  }
  const shift = 1 + live.reduce((most, { multiplier }) => Math.max(most, -multiplier.shift), 0);
  const lanes = channels.map(({ multiplier }, i): Scaling => {
    const constant = constants[i];
    return constant === undefined
      ? scalingOf(multiplier, shift, output.zeroPoint)
      : { scale: 0, multiplier: 0, offset: constant * 2 ** shift, negative: 0 };
  });
  if (!lanes.every((lane, i) => staysInside(lane, constants[i] === undefined ? channels[i]! : NO_SUM))) {
    return 'sums are too large to bring channels to one shift';
  }
  return { shift, lanes };
}

/**
 * Fields of a geometry for sums of at most `reach`, named PREFIXscale and so on, or the reason why there are none.
 * @param factor what sums have still to be multiplied by; goes into the scale
 */
export function scalingFields(
  prefix: string,
  multiplier: Multiplier,
  reach: number,
  output: OutputRange,
  factor = 1,
): Readonly<Record<string, number>> | string {
  const found = rescaling([{ bias: 0, lowest: -reach, highest: reach, multiplier }], output);
  if (typeof found === 'string') return found;
  const { scale, ...rest } = found.lanes[0]!;
  const fields = { scale: scale * factor, ...rest, shift: found.shift };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [prefix + name, value]));
}

function scalingOf({ multiplier, shift }: Multiplier, common: number, zeroPoint: number): Scaling {
  const d = common + shift;
  const isDivided = shift < 0;
  return {
    scale: 2 ** (d + 1),
    multiplier,
    offset: 2 ** (d - 1) + (isDivided ? 2 ** (common - 1) : 0) + zeroPoint * 2 ** common,
    negative: isDivided ? -(2 ** d) : 0,
  };
}

const NO_SUM = { lowest: 0, highest: 0 };

/** Whether nothing that `rv_rescale` computes leaves int32. */
function staysInside(
  { scale, multiplier, offset, negative }: Scaling,
  { lowest, highest }: Pick<SummedChannel, 'lowest' | 'highest'>,
): boolean {
  const reach = Math.max(highest, -lowest) * scale;
  return reach <= INT32_MAX && (reach * multiplier) / 2 ** 32 + 1 + Math.abs(offset) - negative <= INT32_MAX;
}

/**
 * The output of a channel that has only one: its weights are next to nothing, or an activation cuts all else off. Such
 * channels are common, and their multipliers as small as can be. Requantisation is monotonic, so two sums tell.
 */
function constantResult(
  { lowest, highest, multiplier }: SummedChannel,
  { zeroPoint, clamp: [least, most] }: OutputRange,
): number | undefined {
  if (!(lowest >= INT32_MIN && highest <= INT32_MAX) || multiplier.shift > 0) return undefined;
  const result = (sum: number): number => clamp(requantize(sum, multiplier) + zeroPoint, least, most);
  return result(lowest) === result(highest) ? result(lowest) : undefined;
}

/** The first channel of each group of eight; the last group ends with the last channel. Needs eight channels at least. */
function groupStarts(channels: number): number[] {
  return Array.from({ length: Math.ceil(channels / LANES) }, (_, g) => Math.min(g * LANES, channels - LANES));
}

/** int32[groups][RV_CHANNEL_TABLE], or the reason why there is no such table. */
function channelTable(channels: readonly SummedChannel[], output: OutputRange): Int32Array | string {
  const starts = groupStarts(channels.length);
  const table = new Int32Array(starts.length * TABLE_ROWS * LANES);
  for (const [group, start] of starts.entries()) {
    const members = channels.slice(start, start + LANES);
    const scaled = rescaling(members, output);
    if (typeof scaled === 'string') return scaled;
    scaled.lanes.forEach(({ scale, multiplier, offset, negative }, lane) => {
      [members[lane]!.bias, scale, multiplier, offset, negative, scaled.shift].forEach((value, row) => {
        table[(group * TABLE_ROWS + row) * LANES + lane] = value;
      });
    });
  }
  return table;
}

/** Weights in the order of a kernel. */
export interface PackedWeights {
  readonly data: Int8Array;
  /** Sum and sum of magnitudes of the weights of each output channel. */
  readonly sums: Int32Array;
  readonly magnitudes: Int32Array;
  /** What the kernel adds to each input before it multiplies. */
  readonly valueOffset: number;
}

/** A layer is bound for every schedule that a search tries: its weights are packed once. */
function oncePerConstant(pack: (weights: Value) => PackedWeights): (weights: Value) => PackedWeights {
  const packed = new WeakMap<TypedArray, Map<string, PackedWeights>>();
  return (weights) => {
    const shapes = packed.get(weights.data!) ?? new Map<string, PackedWeights>();
    packed.set(weights.data!, shapes);
    const shape = weights.shape.join();
    const result = shapes.get(shape) ?? pack(weights);
    shapes.set(shape, result);
    return result;
  };
}

/** Weights [outputs][inputs], inputs of any number of dimensions, as int8[groups][inputs / 4, rounded up][8][4]. */
export const denseWeights = oncePerConstant((weights) => {
  const data = weights.data as Int8Array;
  const outputs = weights.shape[0]!;
  const inputs = data.length / outputs;
  const quads = Math.ceil(inputs / QUAD);
  const starts = groupStarts(outputs);
  const packed = new Int8Array(starts.length * quads * LANES * QUAD);
  starts.forEach((start, group) => {
    for (let lane = 0; lane < LANES; ++lane) {
      for (let i = 0; i < inputs; ++i) {
        const quad = (group * quads + Math.floor(i / QUAD)) * LANES + lane;
        packed[quad * QUAD + (i % QUAD)] = data[(start + lane) * inputs + i]!;
      }
    }
  });
  const tapsOf = (channel: number) => data.subarray(channel * inputs, (channel + 1) * inputs);
  return { data: packed, ...sumsOf(outputs, tapsOf), valueOffset: VALUE_OFFSET };
});

/** Weights [1, height, width, channels] as int8[groups][height][width / 2, rounded up][8][2]. */
export const depthwiseWeights = oncePerConstant((weights) => {
  const data = weights.data as Int8Array;
  const [, height, width, channels] = weights.shape as [number, number, number, number];
  const pairs = Math.ceil(width / 2);
  const starts = groupStarts(channels);
  const packed = new Int8Array(starts.length * height * pairs * LANES * 2);
  starts.forEach((start, group) => {
    for (let tap = 0; tap < height * width; ++tap) {
      const [ky, kx] = [Math.floor(tap / width), tap % width];
      for (let lane = 0; lane < LANES; ++lane) {
        const pair = ((group * height + ky) * pairs + (kx >> 1)) * LANES + lane;
        packed[pair * 2 + (kx & 1)] = data[tap * channels + start + lane]!;
      }
    }
  });
  const tapsOf = (channel: number) => data.filter((_, i) => i % channels === channel);
  return { data: packed, ...sumsOf(channels, tapsOf), valueOffset: 0 };
});

function sumsOf(
  channels: number,
  tapsOf: (channel: number) => Int8Array,
): Pick<PackedWeights, 'sums' | 'magnitudes'> {
  const sums = new Int32Array(channels);
  const magnitudes = new Int32Array(channels);
  for (let c = 0; c < channels; ++c) {
    for (const w of tapsOf(c)) {
      sums[c]! += w;
      magnitudes[c]! += Math.abs(w);
    }
  }
  return { sums, magnitudes };
}

/** The data struct of a kernel that multiplies packed weights. */
export type WeightedConstants = Readonly<Record<'weights' | 'channels', KernelConstant>>;

/** The constants of weights under an input and an output, or the reason why the kernels for vectors cannot have them. */
export function weightedConstants(
  pack: (weights: Value) => PackedWeights,
  [x, weights, bias]: readonly [TensorType, Value, Value | null | undefined],
  [y, bounds]: readonly [TensorType, Clamp],
  multipliers: readonly number[],
): WeightedConstants | string {
  if (multipliers.length < LANES) return 'there are less than eight channels';
  const { data, sums, magnitudes, valueOffset } = pack(weights);
  const biases = biasOf(bias, multipliers.length);
  const zeroPoint = zeroPointOf(x);
  const channels = multipliers.map((real, c): SummedChannel => {
    // x - Z lies in [-128 - Z, 127 - Z], which holds 0: what padding leaves out is covered.
    const [negative, positive] = [(magnitudes[c]! - sums[c]!) / 2, (magnitudes[c]! + sums[c]!) / 2];
    return {
      bias: (biases[c]! - (zeroPoint + valueOffset) * sums[c]!) | 0,
      lowest: biases[c]! - positive * (128 + zeroPoint) - negative * (127 - zeroPoint),
      highest: biases[c]! + positive * (127 - zeroPoint) + negative * (128 + zeroPoint),
      multiplier: quantizeMultiplier(real),
    };
  });
  const table = channelTable(channels, { zeroPoint: zeroPointOf(y), clamp: bounds });
  if (typeof table === 'string') return table;
  return { weights: { role: 'weights', data }, channels: { role: 'table', data: table } };
}
