/** Pictures, and what else lies on a grid, in one of the ways that a recipe allows. */
import { clamp } from '../core/fixedpoint.ts';
import { SYMMETRIC } from '../data/inputs.ts';
import type { Augmentation } from './recipe.ts';

export type Shape = readonly [height: number, width: number, channels: number];

/** What each pixel is to a network: -1 to 1. */
export const PIXELS = Float32Array.from(
  { length: 256 },
  (_, pixel) => (pixel - SYMMETRIC.mean) * SYMMETRIC.scale,
);

/**
 * Writes a picture, moved, mirrored, in another light and cut, as drawn.
 * @param values [height, width, channels]; pixels, or numbers that are left as they are
 */
export function drawPicture(
  values: Uint8Array | Float32Array,
  [height, width, channels]: Shape,
  augmentation: Augmentation,
  random: () => number,
  out: Float32Array,
): void {
  const { shift, flip, cutout } = augmentation;
  const across = Math.floor(random() * (2 * shift + 1)) - shift;
  const down = Math.floor(random() * (2 * shift + 1)) - shift;
  const mirrored = flip && random() < 0.5;
  const table = values instanceof Uint8Array ? inLight(augmentation, random) : undefined;
  for (let y = 0; y < height; ++y) {
    const row = out.subarray(y * width * channels, (y + 1) * width * channels);
    if (y + down < 0 || y + down >= height) {
      row.fill(0);
      continue;
    }
    const from = (y + down) * width * channels;
    for (let x = 0; x < width; ++x) {
      const column = (mirrored ? width - 1 - x : x) + across;
      const inside = column >= 0 && column < width;
      for (let c = 0; c < channels; ++c) {
        const value = values[from + column * channels + c]!;
        row[x * channels + c] = !inside ? 0 : table === undefined ? value : table[value]!;
      }
    }
  }
  if (cutout > 0) cutSquare(out, [height, width, channels], cutout, random);
}

/** What each pixel is in a light that is drawn: contrast around grey, then brightness, as far as white and black. */
function inLight({ brightness, contrast }: Augmentation, random: () => number): Float32Array {
  if (brightness === 0 && contrast === 0) return PIXELS;
  const factor = 1 + contrast * (2 * random() - 1);
  const added = brightness * (2 * random() - 1);
  return PIXELS.map((value) => clamp(factor * value + added, -1, 1));
}

/** Zeros in a square whose middle lies anywhere in the picture. */
function cutSquare(
  picture: Float32Array,
  [height, width, channels]: Shape,
  side: number,
  random: () => number,
): void {
  const top = Math.floor(random() * height - side / 2);
  const left = Math.floor(random() * width - side / 2);
  for (let y = Math.max(0, top); y < Math.min(height, top + side); ++y) {
    const from = Math.max(0, left);
    const to = Math.max(from, Math.min(width, left + side));
    picture.fill(0, (y * width + from) * channels, (y * width + to) * channels);
  }
}
