import { clamp, quantizeMultiplier, requantize } from '../../core/fixedpoint.ts';
import { biasOf, channelMultipliers } from '../convolution.ts';
import type { ReferenceView } from '../definition.ts';
import { zeroPointOf } from '../quantization.ts';

/**
 * y = clamp(MBQM(bias + sum w * (x - Z_in), M[o], s[o]) + Z_out) over the taps inside the image; output channel o reads
 * input channel floor(o / multiplier). x [N, H, W, C], weights [1, kh, kw, O], y [N, H', W', O], O = C * multiplier.
 */
export function depthwiseConv2dReference({ attrs, ins, outs }: ReferenceView<'depthwise_conv2d'>): void {
  const [x, weights, bias] = [ins[0]!, ins[1]!, ins[2]];
  const y = outs[0]!;
  const [batch, inHeight, inWidth, inChannels] = x.shape as [number, number, number, number];
  const [, outHeight, outWidth, outChannels] = y.shape as [number, number, number, number];
  const [, kernelHeight, kernelWidth] = weights.shape as [number, number, number, number];
  const multipliers = channelMultipliers(x, weights, y, outChannels).map(quantizeMultiplier);
  const biases = biasOf(bias, outChannels);
  const input = x.data as Int8Array;
  const filter = weights.data as Int8Array;
  const inZero = zeroPointOf(x);
  const outZero = zeroPointOf(y);
  let out = 0;
  for (let n = 0; n < batch; ++n) {
    for (let oy = 0; oy < outHeight; ++oy) {
      for (let ox = 0; ox < outWidth; ++ox) {
        for (let oc = 0; oc < outChannels; ++oc) {
          const ic = Math.floor((oc * inChannels) / outChannels);
          let acc = biases[oc]!;
          for (let ky = 0; ky < kernelHeight; ++ky) {
            const iy = oy * attrs.stride[0] - attrs.padding[0] + ky * attrs.dilation[0];
            if (iy < 0 || iy >= inHeight) continue;
            for (let kx = 0; kx < kernelWidth; ++kx) {
              const ix = ox * attrs.stride[1] - attrs.padding[2] + kx * attrs.dilation[1];
              if (ix < 0 || ix >= inWidth) continue;
              const tap = filter[(ky * kernelWidth + kx) * outChannels + oc]!;
              acc =
                (acc + tap * (input[((n * inHeight + iy) * inWidth + ix) * inChannels + ic]! - inZero)) | 0;
            }
          }
          const scaled = requantize(acc, multipliers[oc]!) + outZero;
          y.data[out++] = clamp(scaled, attrs.clamp[0], attrs.clamp[1]);
        }
      }
    }
  }
}
