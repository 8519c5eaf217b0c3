/**
 * The Fourier transform of a front-end in integers; its twin is in runtime/rivulet_audio.h, operation by operation.
 *
 * A real transform of n points is a complex one of n / 2, whose even inputs are real and odd ones imaginary parts, and a
 * step that tells the two apart (Press et al., Numerical Recipes, 12.3). The complex one takes its input in bit-reversed
 * order and works in place: a pass of butterflies of two if the number of stages is odd, then passes of butterflies of
 * four. Nothing is scaled: `tablesOf` leaves room for the largest spectrum there is. Products are rounded once, from 53
 * bits that a number holds exactly.
 */
import { SINE_BITS } from './tables.ts';

const ONE = 2 ** SINE_BITS;
const HALF = ONE / 2;

/** Position of complex input m of `points` (a power of two): its bits reversed. */
export function reversedBits(m: number, points: number): number {
  let reversed = 0;
  for (let bit = 1, top = points >> 1; bit < points; bit <<= 1, top >>= 1) {
    if (m & bit) reversed |= top;
  }
  return reversed;
}

/**
 * The spectrum of real samples.
 * @param data in: complex [points / 2], bit-reversed, real and imaginary parts in turn; out: twice the lines 1 to
 * points / 2 - 1, each at its own place. The first element, where lines 0 and points / 2 would be, means nothing
 * @param sine sin(2 pi i / points), see `FrontEndTables`
 */
export function transform(data: Int32Array, sine: Int32Array): void {
  const points = data.length / 2;
  const stages = Math.log2(points);
  let quarter = 1;
  if (stages % 2 === 1) {
    pairs(data);
    quarter = 2;
  }
  for (; quarter < points; quarter *= 4) fours(data, sine, quarter);
  separate(data, sine);
}

/** The first stage by itself: sums and differences of neighbours. */
function pairs(data: Int32Array): void {
  for (let i = 0; i < data.length; i += 4) {
    for (let part = i; part < i + 2; ++part) {
      const [a, b] = [data[part]!, data[part + 2]!];
      data[part] = a + b;
      data[part + 2] = a - b;
    }
  }
}

/** Two stages at once: transforms of `quarter` points become transforms of four times as many. */
function fours(data: Int32Array, sine: Int32Array, quarter: number): void {
  // Of the table, which is for twice as many points.
  const step = sine.length / (4 * quarter);
  const cosine = sine.length / 4;
  for (let k = 0; k < quarter; ++k) {
    const [s1, c1] = [sine[k * step]!, sine[k * step + cosine]!];
    const [s2, c2] = [sine[2 * k * step]!, sine[2 * k * step + cosine]!];
    const [s3, c3] = [sine[3 * k * step]!, sine[3 * k * step + cosine]!];
    for (let a = 2 * k; a < data.length; a += 8 * quarter) {
      const [b, c, d] = [a + 2 * quarter, a + 4 * quarter, a + 6 * quarter];
      let [br, bi, cr, ci] = [data[b]!, data[b + 1]!, data[c]!, data[c + 1]!];
      let [dr, di] = [data[d]!, data[d + 1]!];
      if (k > 0) {
        [br, bi] = [turnReal(br, bi, c2, s2), turnImaginary(br, bi, c2, s2)];
        [cr, ci] = [turnReal(cr, ci, c1, s1), turnImaginary(cr, ci, c1, s1)];
        [dr, di] = [turnReal(dr, di, c3, s3), turnImaginary(dr, di, c3, s3)];
      }
      const [sumR, sumI] = [data[a]! + br, data[a + 1]! + bi];
      const [differenceR, differenceI] = [data[a]! - br, data[a + 1]! - bi];
      data[a] = sumR + (cr + dr);
      data[a + 1] = sumI + (ci + di);
      data[c] = sumR - (cr + dr);
      data[c + 1] = sumI - (ci + di);
      data[b] = differenceR + (ci - di);
      data[b + 1] = differenceI - (cr - dr);
      data[d] = differenceR - (ci - di);
      data[d + 1] = differenceI + (cr - dr);
    }
  }
}

/** From the complex transform Z to twice the lines: E = Z[k] + Z*[m - k], O = -i (Z[k] - Z*[m - k]), X[k] = E + w^k O. */
function separate(data: Int32Array, sine: Int32Array): void {
  const points = data.length / 2;
  const cosine = sine.length / 4;
  for (let k = 1; k <= points / 2; ++k) {
    const [low, high] = [2 * k, 2 * (points - k)];
    const [er, ei] = [data[low]! + data[high]!, data[low + 1]! - data[high + 1]!];
    const [or, oi] = [data[low + 1]! + data[high + 1]!, data[high]! - data[low]!];
    const tr = turnReal(or, oi, sine[k + cosine]!, sine[k]!);
    const ti = turnImaginary(or, oi, sine[k + cosine]!, sine[k]!);
    data[low] = er + tr;
    data[low + 1] = ei + ti;
    data[high] = er - tr;
    data[high + 1] = ti - ei;
  }
}

/** Real part of (re + i im)(cos - i sin), rounded. */
function turnReal(re: number, im: number, cos: number, sin: number): number {
  return Math.floor((re * cos + im * sin + HALF) / ONE);
}

/** Imaginary part of the same. */
function turnImaginary(re: number, im: number, cos: number, sin: number): number {
  return Math.floor((im * cos - re * sin + HALF) / ONE);
}
