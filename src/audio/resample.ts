/** From one rate to another: an ideal low-pass filter, cut off by a window. */

/** Zero crossings of the filter on each side; the band between passing and stopping gets narrower with more. */
const CROSSINGS = 48;
/** Of Kaiser's window: what lies above half the rate is 80 dB softer. */
const BETA = 8;
/** Where the filter is at half, as a share of half the lower rate. */
const CUTOFF = 0.94;

/**
 * Samples at another rate, at times 0, 1 / to, 2 / to ... of the given. Outside the given ones there is silence. What neither
 * rate can hold is filtered out. Each output has its own phase between inputs; phases repeat, and with them the weights.
 * @param from,to samples a second, integers
 */
export function resample(samples: Float64Array, from: number, to: number): Float64Array {
  if (from === to) return samples;
  const cutoff = CUTOFF * Math.min(1, to / from);
  const reach = CROSSINGS / cutoff;
  const output = new Float64Array(Math.max(1, Math.round((samples.length * to) / from)));
  const phases = new Map<number, Float64Array>();
  for (let i = 0; i < output.length; ++i) {
    const position = Math.floor((i * from) / to);
    const phase = (i * from) % to;
    const weights = phases.get(phase) ?? weightsFor(phase / to, cutoff, reach);
    if (phases.size < MOST_PHASES) phases.set(phase, weights);
    const first = position - (weights.length >> 1) + 1;
    let sum = 0;
    const [start, end] = [Math.max(0, -first), Math.min(weights.length, samples.length - first)];
    for (let t = start; t < end; ++t) sum += weights[t]! * samples[first + t]!;
    output[i] = sum;
  }
  return output;
}

/** Phases whose weights are kept: more have only rates without a common divisor. */
const MOST_PHASES = 4096;

/** Weights of the inputs around a time that is `fraction` of an input after one; they sum up to 1. */
function weightsFor(fraction: number, cutoff: number, reach: number): Float64Array {
  const half = Math.ceil(reach);
  const weights = Float64Array.from({ length: 2 * half }, (_, t) => {
    const distance = t - half + 1 - fraction;
    return sinc(cutoff * distance) * kaiser(distance / reach);
  });
  const sum = weights.reduce((total, w) => total + w, 0);
  return weights.map((w) => w / sum);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Kaiser's window from -1 to 1. */
function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA);
}

/** The modified Bessel function of order 0, by its series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-12 * sum; ++k) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** A clip of `length` samples of 16 bits: its middle if it is longer, silence on both sides if it is shorter. */
export function fitClip(samples: Float64Array, length: number): Int16Array {
  const clip = new Int16Array(length);
  const shift = Math.floor((length - samples.length) / 2);
  for (let i = Math.max(0, shift); i < Math.min(length, shift + samples.length); ++i) {
    clip[i] = Math.max(-32768, Math.min(32767, Math.round(samples[i - shift]! * 32768)));
  }
  return clip;
}
