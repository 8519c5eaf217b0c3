/** Bias, multiplier and shift of a channel in seven bytes, or eight, for the smallest firmware. */
import { requantize } from '../core/fixedpoint.ts';
import type { Clamp } from '../ir/attributes.ts';
import type { KernelConstant } from './definition.ts';
import type { Channels } from './fast-requantize.ts';

/** Multipliers that are tried on each side of the exact one. */
const TRIES = 16;
/** Sums stay below this, as `fastChannels` made sure. */
const LARGEST_SUM = 2 ** 30;

export interface CompactRecords {
  readonly records: KernelConstant;
  readonly geometry: Readonly<Record<'record_bytes' | 'least_e' | 'e_mask', number>>;
}

/**
 * The records of all channels, as rv_load_compact of runtime/rivulet_dsp_product.h reads them. Seven bytes: low bits of the
 * multiplier give way to how much e = -shift exceeds the layer's least one. That is exact where the outputs change at the
 * same sums as before, which is checked at every such sum, and a neighbouring multiplier is taken where it is not. If a
 * channel has none, the layer's records have an eighth byte for e.
 * @param channels as `fastChannels` gives them
 * @param inZeroPoint of the values that weights multiply, any int8, any subset of taps (padding)
 * @returns the reason why there are none, if so
 */
export function compactRecords(
  channels: Channels,
  inZeroPoint: number,
  outZeroPoint: number,
  clamp: Clamp,
): CompactRecords | string {
  const { weights, bias, multiplier, shift } = channels;
  const wide = bias.find((b) => Math.abs(b) >= 2 ** 23);
  if (wide !== undefined) return `a bias of ${wide} has more than 24 bits`;
  const taps = weights.length / bias.length;
  const shifts = Array.from(shift, (s) => -s);
  const least = Math.min(...shifts);
  if (least < 1) return `a shift of ${-least} has no compact form`;
  const step = 2 ** Math.ceil(Math.log2(Math.max(...shifts) - least + 1));
  const words: number[] = [];
  for (let c = 0; c < bias.length; ++c) {
    const e = shifts[c]!;
    const sums = sumsOf(weights.subarray(c * taps, (c + 1) * taps), bias[c]!, inZeroPoint);
    const changes = changesOf(multiplier[c]!, e, outZeroPoint, clamp);
    const word = compactWord({ multiplier: multiplier[c]!, e, step, low: e - least }, changes, sums);
    if (word === undefined) return packed(Array.from(multiplier), bias, shifts);
    words.push(word);
  }
  const { records } = packed(words, bias, null);
  return { records, geometry: { record_bytes: 7, least_e: least, e_mask: step - 1 } };
}

/** Multiplier, 24 bits of bias, and e unless it is null. */
function packed(
  multipliers: readonly number[],
  bias: Int32Array,
  e: readonly number[] | null,
): CompactRecords {
  const record_bytes = e === null ? 7 : 8;
  const bytes = new Int8Array(bias.length * record_bytes);
  const fields = new DataView(bytes.buffer);
  multipliers.forEach((multiplier, c) => {
    const start = c * record_bytes;
    fields.setInt32(start, multiplier, true);
    fields.setInt16(start + 4, bias[c]! & 0xffff, true);
    fields.setInt8(start + 6, bias[c]! >> 16);
    if (e !== null) fields.setInt8(start + 7, e[c]!);
  });
  return { records: { role: 'weights', data: bytes }, geometry: { record_bytes, least_e: 0, e_mask: 0 } };
}

/** Lowest and highest sum of a channel, for any input and any subset of taps. */
function sumsOf(weights: Int8Array, bias: number, zeroPoint: number): readonly [number, number] {
  const [most, least] = [127 - zeroPoint, -128 - zeroPoint];
  let [low, high] = [bias, bias];
  for (const w of weights) {
    low += Math.min(0, w * most, w * least);
    high += Math.max(0, w * most, w * least);
  }
  return [low, high];
}

/** The sums at which the output rises, and what it rises to before the zero point is added. */
function changesOf(
  multiplier: number,
  e: number,
  outZeroPoint: number,
  [lowest, highest]: Clamp,
): [number, number][] {
  const output = (sum: number): number => requantize(sum, { multiplier, shift: -e });
  const changes: [number, number][] = [];
  for (let raw = lowest + 1; raw <= highest; ++raw) {
    const wanted = raw - outZeroPoint;
    let sum = Math.round(((wanted - 0.5) * 2 ** (31 + e)) / multiplier);
    if (Math.abs(sum) >= LARGEST_SUM) continue;
    while (output(sum) >= wanted) --sum;
    while (output(sum) < wanted) ++sum;
    changes.push([sum, wanted]);
  }
  return changes;
}

/** The nearest multiplier with the low bits `low` that makes the same of every sum in [from, to]. */
function compactWord(
  { multiplier, e, step, low }: Record<'multiplier' | 'e' | 'step' | 'low', number>,
  changes: readonly [number, number][],
  [from, to]: readonly [number, number],
): number | undefined {
  const exact = multiplier - (multiplier % step);
  for (let i = 0; i <= 2 * TRIES; ++i) {
    const word = exact + (i % 2 === 0 ? i / 2 : -(i + 1) / 2) * step + low;
    if (word >= 2 ** 31) continue;
    const output = (sum: number): number => requantize(sum, { multiplier: word, shift: -e });
    const isSame = ([sum, value]: readonly [number, number]): boolean =>
      (sum > to || output(Math.max(sum, from)) >= value) &&
      (sum <= from || output(Math.min(sum - 1, to)) < value);
    if (changes.every(isSame)) return word;
  }
  return undefined;
}
