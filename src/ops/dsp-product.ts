/** The stream of weights that the matrix products of runtime/rivulet_dsp.h read. */
import type { KernelConstant } from './definition.ts';

export interface Product {
  /** int8 [channels][rows][K / rows]. */
  readonly weights: Int8Array;
  /** Kernel rows; the values of each are padded with zeros to whole words. */
  readonly rows: number;
  readonly bias: Int32Array;
  readonly multiplier: Int32Array;
  readonly shift: Int8Array;
  /** The column holds doubled values, so biases are doubled too. */
  readonly doubled: boolean;
}

/** Packed already: schedules are searched by lowering a graph many times. */
const packed = new WeakMap<Int8Array, Map<string, KernelConstant>>();

/** At least two channels; `rivulet_dsp.h` describes the layout. */
export function packProduct(product: Product): KernelConstant {
  const { weights, rows, bias, multiplier, shift, doubled } = product;
  const known = packed.get(weights) ?? new Map<string, KernelConstant>();
  packed.set(weights, known);
  const key = [rows, doubled, bias, multiplier, shift].join(' ');
  const constant = known.get(key) ?? { role: 'weights', data: pack(product) };
  known.set(key, constant);
  return constant;
}

function pack({ weights, rows, bias, multiplier, shift, doubled }: Product): Int32Array {
  const channels = bias.length;
  const perRow = weights.length / channels / rows;
  const quadsPerRow = Math.ceil(perRow / 4);
  const pairs = Math.ceil(channels / 2);
  const wordsPerPair = 2 + rows * quadsPerRow * 2 + 3;
  const stream = new Int32Array(pairs * wordsPerPair);
  let at = 0;
  for (let pair = 0; pair < pairs; ++pair) {
    const a = Math.min(2 * pair, channels - 2);
    const b = a + 1;
    const weight = (channel: number, row: number, i: number): number =>
      i < perRow ? weights[(channel * rows + row) * perRow + i]! & 255 : 0;
    for (const channel of [a, b]) stream[at++] = doubled ? bias[channel]! * 2 : bias[channel]!;
    for (let row = 0; row < rows; ++row) {
      for (let quad = 0; quad < quadsPerRow; ++quad) {
        for (const i of [4 * quad, 4 * quad + 1]) {
          stream[at++] =
            weight(a, row, i) |
            (weight(b, row, i) << 8) |
            (weight(a, row, i + 2) << 16) |
            (weight(b, row, i + 2) << 24);
        }
      }
    }
    stream[at++] = multiplier[a]!;
    stream[at++] = multiplier[b]!;
    const [ea, eb] = [-shift[a]!, -shift[b]!];
    stream[at++] = ea | (eb << 8) | ((ea - 1) << 16) | ((eb - 1) << 24);
  }
  return stream;
}
