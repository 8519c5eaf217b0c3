/** A front-end in float64 by its definition: what the integers are held against. Shares nothing with them but the definition. */
import { bandEdges, type FrontEnd, melOf, transformLength } from '../../src/audio/front-end.ts';

/** Energies of the bands of one frame, floor included. @param start of the frame in the samples */
export function bandsInFloat(frontEnd: FrontEnd, samples: Int16Array, start: number): Float64Array {
  const { window, preEmphasis, spectrum, floor, bands, rate } = frontEnd;
  const points = transformLength(frontEnd);
  const frame = Float64Array.from({ length: window }, (_, n) => {
    const before = start + n > 0 ? samples[start + n - 1]! : 0;
    const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / window);
    return ((samples[start + n]! - preEmphasis * before) / 32768) * hann;
  });
  const edges = bandEdges(frontEnd);
  const sums = new Float64Array(bands);
  for (let bin = 1; bin < points / 2; ++bin) {
    const mel = melOf((bin * rate) / points);
    const weights = Array.from(sums, (_, b) => {
      const rising = (mel - edges[b]!) / (edges[b + 1]! - edges[b]!);
      const falling = (edges[b + 2]! - mel) / (edges[b + 2]! - edges[b + 1]!);
      return Math.max(0, Math.min(rising, falling));
    });
    if (weights.every((weight) => weight === 0)) continue;
    const power = powerOf(frame, bin, points);
    for (const [b, weight] of weights.entries()) {
      sums[b]! += weight * (spectrum === 'power' ? power : Math.sqrt(power));
    }
  }
  return sums.map((sum) => sum + floor);
}

/** |X[bin]|^2, straight from the definition of the transform. */
function powerOf(frame: Float64Array, bin: number, points: number): number {
  let [re, im] = [0, 0];
  for (const [n, x] of frame.entries()) {
    const angle = (2 * Math.PI * ((bin * n) % points)) / points;
    re += x * Math.cos(angle);
    im -= x * Math.sin(angle);
  }
  return re * re + im * im;
}

/** Features of one frame: natural logarithms, or the type-2 cosine transform of them, times sqrt(2 / bands). */
export function featuresInFloat(frontEnd: FrontEnd, samples: Int16Array, start: number): number[] {
  const { bands, coefficients } = frontEnd;
  const logarithms = Array.from(bandsInFloat(frontEnd, samples, start), Math.log);
  if (coefficients === 0) return logarithms;
  return Array.from(
    { length: coefficients },
    (_, c) =>
      Math.sqrt(2 / bands) *
      logarithms.reduce((sum, x, b) => sum + x * Math.cos((Math.PI * c * (b + 0.5)) / bands), 0),
  );
}
