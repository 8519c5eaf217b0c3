/** Samples that lie in memory, all of one size. */
import type { ImageSize, Split } from './dataset.ts';

/**
 * Pictures [count, height, width, channels] as a split, stretched to `size` by taking the nearest pixel; a single channel
 * is repeated for three.
 */
export function splitOf(
  pixels: Uint8Array,
  from: ImageSize,
  labels: ArrayLike<number>,
  size: ImageSize,
): Split {
  const [height, width, channels] = from;
  const [toHeight, toWidth, toChannels] = size;
  const bytes = height * width * channels;
  return {
    count: labels.length,
    label: (i) => labels[i]!,
    pixels: async (i) => {
      const image = new Uint8Array(toHeight * toWidth * toChannels);
      for (let at = 0; at < image.length; ++at) {
        const c = at % toChannels;
        const x = Math.floor((Math.floor(at / toChannels) % toWidth) * (width / toWidth));
        const y = Math.floor(Math.floor(at / toChannels / toWidth) * (height / toHeight));
        image[at] = pixels[i * bytes + (y * width + x) * channels + Math.min(c, channels - 1)]!;
      }
      return image;
    },
  };
}

/** Names for classes 0 to the highest label. */
export function numberedClasses(labels: ArrayLike<number>): string[] {
  let highest = 0;
  for (let i = 0; i < labels.length; ++i) highest = Math.max(highest, labels[i]!);
  return Array.from({ length: highest + 1 }, (_, c) => String(c));
}
