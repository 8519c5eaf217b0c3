/** Signals that front-ends are tried on. */
import { createRandom } from '../../src/core/random.ts';

export const SIGNALS: Readonly<Record<string, (length: number) => Int16Array>> = {
  silence: (length) => new Int16Array(length),
  noise: (length) => noise(length, 1000, 1),
  'full-scale noise': (length) => noise(length, 65535, 2),
  'the last bit': (length) => noise(length, 2, 3),
  tone: (length) => Int16Array.from({ length }, (_, n) => Math.round(8000 * Math.sin(0.31 * n))),
  chirp: (length) =>
    Int16Array.from({ length }, (_, n) => Math.round(30000 * Math.sin((1.5 * n * n) / length))),
  'square wave': (length) => Int16Array.from({ length }, (_, n) => (n % 32 < 16 ? 32767 : -32768)),
  'square wave at half the rate': (length) =>
    Int16Array.from({ length }, (_, n) => (n % 2 === 0 ? 32767 : -32768)),
  'lowest value': (length) => new Int16Array(length).fill(-32768),
  impulse: (length) => Int16Array.from({ length }, (_, n) => (n === length >> 1 ? -32768 : 0)),
  'speech-like': (length) => speech(length),
};

/** Uniform from -spread / 2 to spread / 2. */
function noise(length: number, spread: number, seed: number): Int16Array {
  const random = createRandom(seed);
  return Int16Array.from({ length }, () => Math.floor((random() - 0.5) * (spread + 1)));
}

/** A buzz of harmonics that gets louder and softer, over a little noise. */
function speech(length: number): Int16Array {
  const random = createRandom(4);
  return Int16Array.from({ length }, (_, n) => {
    const loudness = 9000 * Math.sin((Math.PI * n) / length) ** 2;
    let x = 0;
    for (let harmonic = 1; harmonic < 20; ++harmonic)
      x += Math.sin(0.08 * harmonic * n + harmonic) / harmonic;
    return Math.round(loudness * x * 0.5 + 20 * (random() - 0.5));
  });
}
