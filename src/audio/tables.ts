/**
 * The integers of a front-end: everything its arithmetic is made of, for TypeScript and C alike. No value here depends
 * on the machine: all are rounded to far fewer bits than mathematical functions may differ in.
 */
import { bandEdges, type FrontEnd, melOfBin, transformLength } from './front-end.ts';

export interface FrontEndTables {
  readonly frontEnd: FrontEnd;
  /** Points of the real transform; the complex one has half as many. */
  readonly points: number;
  /** preEmphasis in Q22. */
  readonly emphasis: number;
  /** How far a product of an emphasised sample (Q8) and a window value (Q22) is shifted down. */
  readonly sampleShift: number;
  /** Periodic Hann window in Q22, its first half with the middle: value n is also value `window` - n. */
  readonly window: Int32Array;
  /** sin(2 pi i / points) in Q22; cos is a quarter of the table further on. */
  readonly sine: Int32Array;
  /** First line of each segment between two edges, and the line behind the last: bands + 2 numbers. */
  readonly edges: Uint16Array;
  /** How far the line has come from the edge below it to the edge above, in Q15; from line edges[0] on. */
  readonly rises: Uint16Array;
  /** log2 of 1 + i / 64 in Q15, up to that of 2. */
  readonly logarithms: Uint16Array;
  /** Square root of 1 + i / 32 in Q14, up to that of 4. */
  readonly roots: Uint16Array;
  /** sqrt(2 / bands) cos(pi c (b + 1/2) / bands) in Q14, [coefficients, bands]. */
  readonly cosines: Int16Array;
  /** The floor in units of an unscaled band. */
  readonly floor: number;
  /** log2 of the units of an unscaled band. */
  readonly unit: number;
}

/** Bits of a line's real and imaginary part when it is squared: squares stay below 2^41, their sums below 2^53. */
export const LINE_BITS = 20;
/** Fraction bits of magnitudes. */
export const MAGNITUDE_BITS = 8;
/** Fraction bits of sines, cosines, window and pre-emphasis. */
export const SINE_BITS = 22;
/** Fraction bits of emphasised samples. */
export const SAMPLE_BITS = 8;
/** Fraction bits of features: natural logarithms, or coefficients made of them. */
export const FEATURE_BITS = 12;
/** ln 2 in Q16. */
export const LN2 = 45426;

/** Twice a line stays below this: products with sines then fit 53 bits, sums of two lines int32. */
const LIMIT = 2 ** 30;
const MOST_FRACTION_BITS = 10;

export function tablesOf(frontEnd: FrontEnd): FrontEndTables {
  const { window: length, preEmphasis, bands, coefficients, spectrum, floor } = frontEnd;
  const points = transformLength(frontEnd);
  const one = 2 ** SINE_BITS;
  const hann = (n: number): number => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / length);
  // The window's values sum up to half its length.
  const fraction = fractionBits((2 * 32768 * (1 + preEmphasis) * length) / 2);
  const edges = bandEdges(frontEnd);
  const bins = Array.from({ length: points / 2 }, (_, bin) => melOfBin(frontEnd, bin));
  const firstBin = (edge: number): number => {
    const found = bins.findIndex((mel, bin) => bin > 0 && mel >= edge);
    return found < 0 ? bins.length : found;
  };
  const firsts = Uint16Array.from(edges, firstBin);
  // Lines are held twice as large as they are.
  const lineUnit = 16 + fraction;
  const unit = spectrum === 'power' ? 2 * lineUnit : lineUnit + MAGNITUDE_BITS;
  const rises = edges.slice(1).flatMap((to, segment) => {
    const from = edges[segment]!;
    const lines = bins.slice(firsts[segment], firsts[segment + 1]);
    return lines.map((mel) => Math.round((32768 * (mel - from)) / (to - from)));
  });
  return {
    frontEnd,
    points,
    emphasis: Math.round(one * preEmphasis),
    sampleShift: SAMPLE_BITS + SINE_BITS - fraction,
    window: Int32Array.from({ length: Math.floor(length / 2) + 1 }, (_, n) => Math.round(one * hann(n))),
    sine: Int32Array.from({ length: points }, (_, i) =>
      Math.round(one * Math.sin((2 * Math.PI * i) / points)),
    ),
    edges: firsts,
    rises: Uint16Array.from(rises),
    logarithms: Uint16Array.from({ length: 65 }, (_, i) => Math.round(32768 * Math.log2(1 + i / 64))),
    roots:
      spectrum === 'power'
        ? new Uint16Array(0)
        : Uint16Array.from({ length: 97 }, (_, i) => Math.round(16384 * Math.sqrt(1 + i / 32))),
    cosines: Int16Array.from({ length: coefficients * bands }, (_, i) => {
      const [c, b] = [Math.floor(i / bands), i % bands];
      return Math.round(16384 * Math.sqrt(2 / bands) * Math.cos((Math.PI * c * (b + 0.5)) / bands));
    }),
    floor: Math.round(floor * 2 ** unit),
    unit,
  };
}

/** Bits below a sample's own that the largest possible line, held twice as large, leaves room for. */
function fractionBits(largest: number): number {
  // A hundredth for what rounding adds.
  return Math.min(MOST_FRACTION_BITS, Math.floor(Math.log2(LIMIT / (1.01 * largest))));
}

/** Bytes of the tables in flash: all that are `const` in C. */
export function tableBytes({
  window,
  sine,
  edges,
  rises,
  logarithms,
  roots,
  cosines,
}: FrontEndTables): number {
  return [window, sine, edges, rises, logarithms, roots, cosines].reduce((sum, t) => sum + t.byteLength, 0);
}

/** How a feature becomes a value of an int8 input. */
export interface FeatureQuantization {
  /** value = |feature| * multiplier / 2^shift. */
  readonly multiplier: number;
  readonly shift: number;
  readonly zeroPoint: number;
}

const LEAST_SHIFT = 11;
const MOST_SHIFT = 51;

/**
 * @param scale real = scale * (q - zeroPoint)
 * @returns undefined for a scale far from any that features have
 */
export function quantizationOf(scale: number, zeroPoint: number): FeatureQuantization | undefined {
  const factor = 1 / (scale * 2 ** FEATURE_BITS);
  const shift = 30 - Math.floor(Math.log2(factor));
  if (!(shift >= LEAST_SHIFT && shift <= MOST_SHIFT)) return undefined;
  // Rounding up to 2^31 would not be an int32.
  return { multiplier: Math.min(2 ** 31 - 1, Math.round(factor * 2 ** shift)), shift, zeroPoint };
}
