/** The pixels that a sliding window brings together: what references of convolutions and their gradients walk over. */
import type { GradientWindow, Pair } from '../ir/attributes.ts';
import type { Shape } from '../ir/types.ts';

/**
 * Calls `visit` for every tap of every window that lies inside the image: pixels are counted over the batch, taps over
 * the kernel.
 * @param image [batch, height, width, ...] that the window slides over
 * @param windows [batch, height, width, ...], one pixel for each place of the window
 */
export function forEachTap(
  image: Shape,
  windows: Shape,
  kernel: Pair,
  { stride, dilation, padding }: GradientWindow,
  visit: (pixel: number, window: number, tap: number) => void,
): void {
  const [batch, height, width] = windows as [number, number, number];
  const [imageHeight, imageWidth] = image.slice(1) as [number, number];
  let window = 0;
  for (let n = 0; n < batch; ++n) {
    for (let y = 0; y < height; ++y) {
      for (let x = 0; x < width; ++x, ++window) {
        for (let tap = 0; tap < kernel[0] * kernel[1]; ++tap) {
          const iy = y * stride[0] - padding[0] + Math.floor(tap / kernel[1]) * dilation[0];
          const ix = x * stride[1] - padding[2] + (tap % kernel[1]) * dilation[1];
          if (iy < 0 || iy >= imageHeight || ix < 0 || ix >= imageWidth) continue;
          visit((n * imageHeight + iy) * imageWidth + ix, window, tap);
        }
      }
    }
  }
}

/** Adds up in double and rounds once: sums of a reference. */
export class Sums {
  private readonly sums: Float64Array;

  constructor(length: number) {
    this.sums = new Float64Array(length);
  }

  add(index: number, value: number): void {
    this.sums[index]! += value;
  }

  /** The sums, each through `finish`, as float32 elements of `to`. */
  store(
    to: { readonly data: { [index: number]: number | bigint } },
    finish = (sum: number, _i: number): number => sum,
  ): void {
    this.sums.forEach((sum, i) => {
      to.data[i] = finish(sum, i);
    });
  }
}

export function clampReal(x: number, [lowest, highest]: readonly [number, number]): number {
  return Math.min(highest, Math.max(lowest, x));
}
