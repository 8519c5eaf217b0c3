import { clamp, quantizeMultiplier, requantize } from '../../core/fixedpoint.ts';
import { biasOf, channelMultipliers } from '../convolution.ts';
import type { ReferenceView } from '../definition.ts';
import { zeroPointOf } from '../quantization.ts';

/**
 * Every input pixel is scattered: out[iy * stride - top + ky][ix * stride - left + kx] += w[o][ky][kx] * (x - Z_in) where
 * that lies inside the output; then y = clamp(MBQM(sum + bias, M[o], s[o]) + Z_out).
 * x [N, H, W, C], weights [O, kh, kw, C], y [N, H', W', O].
 */
export function transposeConv2dReference({ attrs, ins, outs }: ReferenceView<'transpose_conv2d'>): void {
  const [x, weights, bias] = [ins[0]!, ins[1]!, ins[2]];
  const y = outs[0]!;
  const [batch, inHeight, inWidth, inChannels] = x.shape as [number, number, number, number];
  const [, outHeight, outWidth, outChannels] = y.shape as [number, number, number, number];
  const [, kernelHeight, kernelWidth] = weights.shape as [number, number, number, number];
  const input = x.data as Int8Array;
  const filter = weights.data as Int8Array;
  const inZero = zeroPointOf(x);
  const sums = new Int32Array(y.data.length);
  for (let n = 0; n < batch; ++n) {
    for (let iy = 0; iy < inHeight; ++iy) {
      for (let ix = 0; ix < inWidth; ++ix) {
        const pixel = ((n * inHeight + iy) * inWidth + ix) * inChannels;
        for (let ky = 0; ky < kernelHeight; ++ky) {
          const oy = iy * attrs.stride[0] - attrs.padding[0] + ky;
          if (oy < 0 || oy >= outHeight) continue;
          for (let kx = 0; kx < kernelWidth; ++kx) {
            const ox = ix * attrs.stride[1] - attrs.padding[2] + kx;
            if (ox < 0 || ox >= outWidth) continue;
            const target = ((n * outHeight + oy) * outWidth + ox) * outChannels;
            for (let oc = 0; oc < outChannels; ++oc) {
              const tap = ((oc * kernelHeight + ky) * kernelWidth + kx) * inChannels;
              let sum = sums[target + oc]!;
              for (let c = 0; c < inChannels; ++c) sum += filter[tap + c]! * (input[pixel + c]! - inZero);
              sums[target + oc] = sum;
            }
          }
        }
      }
    }
  }
  const multipliers = channelMultipliers(x, weights, y, outChannels).map(quantizeMultiplier);
  const biases = biasOf(bias, outChannels);
  sums.forEach((sum, i) => {
    const oc = i % outChannels;
    const scaled = requantize((sum + biases[oc]!) | 0, multipliers[oc]!) + zeroPointOf(y);
    y.data[i] = clamp(scaled, attrs.clamp[0], attrs.clamp[1]);
  });
}
