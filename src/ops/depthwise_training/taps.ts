import type { ConvolutionAttributes } from '../../ir/attributes.ts';
import type { Shape } from '../../ir/types.ts';

/**
 * Calls `visit` for every tap of every window that lies inside the image, with the index of the input pixel, of the tap
 * and of the output pixel. x [1, H, W, C], weights [1, kh, kw, C], y [1, H', W', C].
 */
export function forEachTap(
  { stride, dilation, padding }: ConvolutionAttributes,
  [, inHeight, inWidth]: Shape,
  [, kernelHeight, kernelWidth]: Shape,
  [, outHeight, outWidth]: Shape,
  visit: (input: number, tap: number, output: number) => void,
): void {
  for (let oy = 0; oy < outHeight!; ++oy) {
    for (let ky = 0; ky < kernelHeight!; ++ky) {
      const iy = oy * stride[0] - padding[0] + ky * dilation[0];
      if (iy < 0 || iy >= inHeight!) continue;
      for (let ox = 0; ox < outWidth!; ++ox) {
        for (let kx = 0; kx < kernelWidth!; ++kx) {
          const ix = ox * stride[1] - padding[2] + kx * dilation[1];
          if (ix < 0 || ix >= inWidth!) continue;
          visit(iy * inWidth! + ix, ky * kernelWidth! + kx, oy * outWidth! + ox);
        }
      }
    }
  }
}
