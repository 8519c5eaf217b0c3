/**
 * Features of sound in the arithmetic of the firmware: the same integers as runtime/rivulet_audio.h, from samples to the
 * bytes of a network's input.
 */
import { clamp } from '../core/fixedpoint.ts';
import { reversedBits, transform } from './fft.ts';
import { clipSamples, type FrontEnd, frameWidth } from './front-end.ts';
import {
  FEATURE_BITS,
  type FeatureQuantization,
  type FrontEndTables,
  LINE_BITS,
  LN2,
  MAGNITUDE_BITS,
  tablesOf,
} from './tables.ts';

/** Computes frames; holds the working memory of one. */
export class FeatureExtractor {
  readonly tables: FrontEndTables;
  readonly #spectrum: Int32Array;
  readonly #places: Uint16Array;
  readonly #logarithms: Int32Array;

  constructor(frontEnd: FrontEnd) {
    this.tables = tablesOf(frontEnd);
    const { points } = this.tables;
    this.#spectrum = new Int32Array(points);
    this.#places = Uint16Array.from({ length: points / 2 }, (_, m) => reversedBits(m, points / 2));
    this.#logarithms = new Int32Array(frontEnd.bands);
  }

  /**
   * All frames of a clip.
   * @param samples `clipSamples` of them
   * @returns features in Q12, [frames, `frameWidth`]
   */
  clip(samples: Int16Array): Int32Array {
    const { frontEnd } = this.tables;
    if (samples.length !== clipSamples(frontEnd)) {
      throw new RangeError(`${samples.length} samples of ${clipSamples(frontEnd)}`);
    }
    const width = frameWidth(frontEnd);
    const features = new Int32Array(frontEnd.frames * width);
    for (let frame = 0; frame < frontEnd.frames; ++frame) {
      this.frame(samples, frame * frontEnd.hop, features.subarray(frame * width, (frame + 1) * width));
    }
    return features;
  }

  /**
   * One frame.
   * @param start of the frame in the samples
   * @param features receives `frameWidth` values in Q12
   */
  frame(samples: Int16Array, start: number, features: Int32Array): void {
    this.#load(samples, start);
    transform(this.#spectrum, this.tables.sine);
    this.#sumBands(this.#spectrum);
    const { coefficients, bands } = this.tables.frontEnd;
    if (coefficients === 0) features.set(this.#logarithms);
    for (let c = 0; c < coefficients; ++c) {
      let sum = 0;
      for (let b = 0; b < bands; ++b) sum += this.#logarithms[b]! * this.tables.cosines[c * bands + b]!;
      features[c] = Math.floor((sum + 8192) / 16384);
    }
  }

  /** Emphasised and windowed samples at the places that the transform wants. */
  #load(samples: Int16Array, start: number): void {
    const { window, emphasis, sampleShift, frontEnd } = this.tables;
    const [half, one] = [2 ** (sampleShift - 1), 2 ** sampleShift];
    const spectrum = this.#spectrum.fill(0);
    // The window begins with 0: what comes before the frame is not asked for.
    for (let n = 1; n < frontEnd.window; ++n) {
      const before = samples[start + n - 1]!;
      const emphasised = samples[start + n]! * 256 - Math.floor((emphasis * before) / 16384);
      const weight = window[Math.min(n, frontEnd.window - n)]!;
      spectrum[2 * this.#places[n >> 1]! + (n & 1)] = Math.floor((emphasised * weight + half) / one);
    }
  }

  /** Natural logarithms of the bands, in Q12. */
  #sumBands(spectrum: Int32Array): void {
    const { edges, rises, floor, unit, frontEnd } = this.tables;
    const power = frontEnd.spectrum === 'power';
    const first = edges[0]!;
    let bits = 0;
    for (let i = 2 * first; i < 2 * edges.at(-1)!; ++i) bits |= spectrum[i]! ^ (spectrum[i]! >> 31);
    // Lines of a loud frame lose bits that the loudest do not need.
    const shift = Math.max(0, 32 - Math.clz32(bits) - LINE_BITS);
    const scale = power ? 2 * shift : shift;
    const least = Math.floor(floor / 2 ** scale);
    let falling = 0;
    for (let segment = 0; segment < edges.length - 1; ++segment) {
      let rising = 0;
      for (let bin = edges[segment]!; bin < edges[segment + 1]!; ++bin) {
        const [re, im] = [spectrum[2 * bin]! >> shift, spectrum[2 * bin + 1]! >> shift];
        const square = re * re + im * im;
        const value = power ? square : this.#root(square);
        const rise = rises[bin - first]!;
        const share = Math.floor(value / 32768) * rise + (((value % 32768) * rise) >> 15);
        rising += share;
        falling += value - share;
      }
      if (segment > 0) {
        const logarithm = this.#log2(Math.max(1, falling + least)) + (scale - unit) * 32768;
        this.#logarithms[segment - 1] = Math.floor((logarithm * LN2 + 2 ** 18) / 2 ** 19);
      }
      falling = rising;
    }
  }

  /** log2(x) in Q15, for an integer x from 1 to below 2^53. */
  #log2(x: number): number {
    const exponent = exponentOf(x);
    const mantissa = Math.floor(x * 2 ** (31 - exponent));
    return exponent * 32768 + interpolate(this.tables.logarithms, mantissa - 2 ** 31);
  }

  /** sqrt(x) in Q8, for an integer x from 0 to below 2^53. */
  #root(x: number): number {
    if (x === 0) return 0;
    const even = exponentOf(x) & ~1;
    const mantissa = Math.floor(x * 2 ** (30 - even));
    const root = interpolate(this.tables.roots, mantissa - 2 ** 30);
    return Math.floor(root * 2 ** (even / 2 + MAGNITUDE_BITS - 14));
  }
}

/** The position of the highest bit of an integer from 1 to below 2^53. */
function exponentOf(x: number): number {
  return x < 2 ** 32 ? 31 - Math.clz32(x) : 63 - Math.clz32(Math.floor(x / 2 ** 32));
}

/** A table's value at `position`, in steps of 2^25. */
function interpolate(table: Uint16Array, position: number): number {
  const [index, fraction] = [position >>> 25, (position >>> 9) & 0xffff];
  const base = table[index]!;
  return base + (((table[index + 1]! - base) * fraction) >> 16);
}

/** Values within 2^-10 of a half go away from zero, as halves do: that is how src/data/inputs.ts rounds. */
const TIE_BITS = 10;

/** The value of an int8 input that a feature (Q12) becomes. */
export function quantizeFeature(
  feature: number,
  { multiplier, shift, zeroPoint }: FeatureQuantization,
): number {
  const steps = Math.floor(
    (Math.abs(feature) * multiplier + 2 ** (shift - 1) + 2 ** (shift - TIE_BITS) - 1) / 2 ** shift,
  );
  return clamp((feature < 0 ? -steps : steps) + zeroPoint, -128, 127);
}

/** Features as real numbers. */
export function featureReals(features: Int32Array): Float32Array {
  return Float32Array.from(features, (feature) => feature / 2 ** FEATURE_BITS);
}
