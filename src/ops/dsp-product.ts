/** The streams of weights that the matrix products of runtime/rivulet_dsp_product.h read. */
import type { KernelConstant } from './definition.ts';
import type { Channels } from './fast-requantize.ts';

/** Four taps that are multiplied together, -1 for a weight of zero. */
export type Quad = readonly [number, number, number, number];

/** Quads for columns: `rows` rows of `perRow` taps, each filled up to whole fours. */
export function columnQuads(rows: number, perRow: number): Quad[] {
  return Array.from({ length: rows }, (_, row) => row * perRow).flatMap((start) => {
    const tap = (i: number): number => (i < perRow ? start + i : -1);
    return Array.from({ length: Math.ceil(perRow / 4) }, (_, quad): Quad => {
      const i = 4 * quad;
      return [tap(i), tap(i + 1), tap(i + 2), tap(i + 3)];
    });
  });
}

/** Quads for strips: taps [kernelHeight][3][channels], `channels` a multiple of 4; four channels of all three columns. */
export function stripQuads(kernelHeight: number, channels: number): Quad[] {
  const perRow = columnQuads(1, channels);
  return Array.from({ length: kernelHeight }, (_, ky) => ky * 3 * channels).flatMap((start) =>
    perRow.flatMap((quad) =>
      [0, channels, 2 * channels].map((column) => quad.map((i) => start + column + i) as unknown as Quad),
    ),
  );
}

/**
 * Why sums of 256-fold products, as tiles form them, could be lost, or undefined.
 * @param quads as the stream will have them: even and odd places count differently
 */
export function tileProblem({ weights, bias }: Channels, quads: readonly Quad[]): string | undefined {
  const taps = weights.length / bias.length;
  for (let start = 0; start < weights.length; start += taps) {
    let reach = 0;
    for (const [i, j, k, l] of quads) {
      const [w0, w1, w2, w3] = [i, j, k, l].map((tap) => (tap < 0 ? 0 : weights[start + tap]!));
      if (w0 === -128 || w2 === -128) return 'a weight of -128 stands at an even place';
      reach += 255 * (Math.abs(w0!) + Math.abs(w2!)) + 128 * (Math.abs(w1!) + Math.abs(w3!));
    }
    if (reach >= 2 ** 23) return `sums of products reach ${reach}, beyond 24 bits`;
  }
  return undefined;
}

/** What tiles read; bias with the zero point folded in. At least two channels. */
export function packTiles(channels: Channels, quads: readonly Quad[], layout: string): KernelConstant {
  return cached(channels, `tiles ${layout}`, () => {
    const { weights, bias, multiplier, shift } = channels;
    const taps = weights.length / bias.length;
    const stream = new Int32Array(pairsOf(channels.bias.length).length * (2 * quads.length + 5));
    let at = 0;
    for (const pair of pairsOf(channels.bias.length)) {
      const weight = (channel: number, tap: number): number => (tap < 0 ? 0 : weights[channel * taps + tap]!);
      for (const [i, j, k, l] of quads) {
        for (const c of pair) {
          const low = 256 * weight(c, i) + weight(c, j);
          const high = 256 * weight(c, k) + weight(c, l);
          stream[at++] = (low & 0xffff) | (high << 16);
        }
      }
      stream[at++] = multiplier[pair[1]]!;
      for (const c of pair) {
        const even = quads.reduce((sum, [i, , k]) => sum + weight(c, i) + weight(c, k), 0);
        stream[at++] = 2 * (bias[c]! + 127 * even);
      }
      stream[at++] = multiplier[pair[0]]!;
      const [a, b] = pair.map((c) => -shift[c]!) as [number, number];
      stream[at++] = a | (b << 8) | ((a - 1) << 16) | ((b - 1) << 24);
    }
    return stream;
  });
}

/** What conv2d_direct_s8 reads; bias as the model has it. The taps of a channel are a multiple of 4. */
export function packDirect(channels: Channels): KernelConstant {
  return cached(channels, 'direct', () => {
    const { weights, bias, multiplier, shift } = channels;
    const taps = weights.length / bias.length;
    const stream = new Int32Array(pairsOf(channels.bias.length).length * (taps / 2 + 5));
    let at = 0;
    for (const [a, b] of pairsOf(channels.bias.length)) {
      const byte = (channel: number, tap: number): number => weights[channel * taps + tap]! & 255;
      for (const c of [a, b]) stream[at++] = bias[c]!;
      for (let quad = 0; quad < taps; quad += 4) {
        for (const i of [quad, quad + 1]) {
          stream[at++] = byte(a, i) | (byte(b, i) << 8) | (byte(a, i + 2) << 16) | (byte(b, i + 2) << 24);
        }
      }
      for (const c of [a, b]) stream[at++] = multiplier[c]!;
      stream[at++] = -shift[a]! | (-shift[b]! << 8);
    }
    return stream;
  });
}

/** What conv2d_compact_s8 reads: weights alone, the taps of a channel filled up to a multiple of 4. */
export function packCompact(channels: Channels): KernelConstant {
  return cached(channels, 'compact', () => packPairs(channels.weights, channels.bias.length));
}

/** The weights of `count` channels two by two, for rv_dsp_direct: bytes a[i], b[i], a[i + 2], b[i + 2]. */
export function packPairs(weights: Int8Array, count: number): Int32Array {
  const taps = weights.length / count;
  const quads = Math.ceil(taps / 4);
  const pairs = pairsOf(count);
  const stream = new Int32Array(pairs.length * 2 * quads);
  let at = 0;
  for (const [a, b] of pairs) {
    const byte = (channel: number, tap: number): number =>
      tap < taps ? weights[channel * taps + tap]! & 255 : 0;
    for (let quad = 0; quad < 4 * quads; quad += 4) {
      for (const i of [quad, quad + 1]) {
        stream[at++] = byte(a, i) | (byte(b, i) << 8) | (byte(a, i + 2) << 16) | (byte(b, i + 2) << 24);
      }
    }
  }
  return stream;
}

/** Channels two by two; the last of an odd number goes with the one before once more. */
function pairsOf(count: number): [number, number][] {
  return Array.from({ length: Math.ceil(count / 2) }, (_, pair) => {
    const a = Math.min(2 * pair, count - 2);
    return [a, a + 1];
  });
}

/** Packed already: schedules are searched by lowering a graph many times. */
const packed = new WeakMap<Int8Array, Map<string, KernelConstant>>();

function cached(channels: Channels, layout: string, pack: () => Int32Array): KernelConstant {
  const { weights, bias, multiplier, shift } = channels;
  const known = packed.get(weights) ?? new Map<string, KernelConstant>();
  packed.set(weights, known);
  const key = [layout, bias, multiplier, shift].join(' ');
  const constant = known.get(key) ?? { role: 'weights', data: pack() };
  known.set(key, constant);
  return constant;
}
