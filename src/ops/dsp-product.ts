/** The stream of weights that the matrix products of runtime/rivulet_dsp.h read. */
import type { KernelConstant } from './definition.ts';

export interface Product {
  /** int8 [channels][taps]. */
  readonly weights: Int8Array;
  /** For each word of a channel pair the two taps it holds, -1 for a weight of zero. */
  readonly words: readonly (readonly [number, number])[];
  readonly bias: Int32Array;
  readonly multiplier: Int32Array;
  readonly shift: Int8Array;
  /** The column holds doubled values, so biases are doubled too. */
  readonly doubled: boolean;
  /** Weights as int16, doubled, and biases doubled. */
  readonly wide: boolean;
}

/** Words for columns: `rows` rows of `perRow` taps, each filled up to whole fours. */
export function columnWords(rows: number, perRow: number): [number, number][] {
  return Array.from({ length: rows }, (_, row) => row * perRow).flatMap((start) => {
    const tap = (i: number): number => (i < perRow ? start + i : -1);
    return Array.from({ length: Math.ceil(perRow / 4) * 2 }, (_, word): [number, number] => {
      const i = 4 * (word >> 1) + (word & 1);
      return [tap(i), tap(i + 2)];
    });
  });
}

/** Words for strips: taps [kernelHeight][3][channels], `channels` a multiple of 4; a pair of all three columns at a time. */
export function stripWords(kernelHeight: number, channels: number): [number, number][] {
  const perRow = columnWords(1, channels);
  return Array.from({ length: kernelHeight }, (_, ky) => ky * 3 * channels).flatMap((start) =>
    perRow.flatMap(([i, j]) =>
      [0, channels, 2 * channels].map((column): [number, number] => [start + column + i, start + column + j]),
    ),
  );
}

/** Packed already: schedules are searched by lowering a graph many times. */
const packed = new WeakMap<Int8Array, Map<string, KernelConstant>>();

/** At least two channels; `rivulet_dsp.h` describes the layout. `layout` names the order of the words. */
export function packProduct(product: Product, layout: string): KernelConstant {
  const { weights, bias, multiplier, shift, doubled, wide } = product;
  const known = packed.get(weights) ?? new Map<string, KernelConstant>();
  packed.set(weights, known);
  const key = [layout, doubled, wide, bias, multiplier, shift].join(' ');
  const constant = known.get(key) ?? { role: 'weights', data: pack(product) };
  known.set(key, constant);
  return constant;
}

function pack({ weights, words, bias, multiplier, shift, doubled, wide }: Product): Int32Array {
  const channels = bias.length;
  const taps = weights.length / channels;
  const pairs = Math.ceil(channels / 2);
  const stream = new Int32Array(pairs * (words.length * (wide ? 2 : 1) + 5));
  let at = 0;
  for (let pair = 0; pair < pairs; ++pair) {
    const a = Math.min(2 * pair, channels - 2);
    const b = a + 1;
    const weight = (channel: number, tap: number): number => (tap < 0 ? 0 : weights[channel * taps + tap]!);
    for (const channel of [a, b]) stream[at++] = doubled || wide ? bias[channel]! * 2 : bias[channel]!;
    for (const [i, j] of words) {
      const [ai, bi, aj, bj] = [weight(a, i), weight(b, i), weight(a, j), weight(b, j)];
      if (wide) {
        stream[at++] = ((2 * ai) & 0xffff) | ((2 * aj) << 16);
        stream[at++] = ((2 * bi) & 0xffff) | ((2 * bj) << 16);
      } else {
        stream[at++] = (ai & 255) | ((bi & 255) << 8) | ((aj & 255) << 16) | (bj << 24);
      }
    }
    stream[at++] = multiplier[a]!;
    stream[at++] = multiplier[b]!;
    const [ea, eb] = [-shift[a]!, -shift[b]!];
    stream[at++] = ea | (eb << 8) | ((ea - 1) << 16) | ((eb - 1) << 24);
  }
  return stream;
}
