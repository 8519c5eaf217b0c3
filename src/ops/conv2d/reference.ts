import { clamp, quantizeMultiplier, requantize } from '../../core/fixedpoint.ts';
import { biasOf, channelMultipliers } from '../convolution.ts';
import type { ReferenceView } from '../definition.ts';
import { zeroPointOf } from '../quantization.ts';

/**
 * y = clamp(MBQM(bias + sum w * (x - Z_in), M[c], s[c]) + Z_out) over the taps inside the image.
 * x [N, H, W, C], weights [O, kh, kw, C / groups], y [N, H', W', O].
 */
export function conv2dReference({ attrs, ins, outs }: ReferenceView<'conv2d'>): void {
  const [x, weights, bias] = [ins[0]!, ins[1]!, ins[2]];
  const y = outs[0]!;
  const [batch, inHeight, inWidth, inChannels] = x.shape as [number, number, number, number];
  const [, outHeight, outWidth, outChannels] = y.shape as [number, number, number, number];
  const [, kernelHeight, kernelWidth, groupChannels] = weights.shape as [number, number, number, number];
  const channelsPerGroup = outChannels / (inChannels / groupChannels);
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
          const firstChannel = Math.floor(oc / channelsPerGroup) * groupChannels;
          let acc = biases[oc]!;
          for (let ky = 0; ky < kernelHeight; ++ky) {
            const iy = oy * attrs.stride[0] - attrs.padding[0] + ky * attrs.dilation[0];
            if (iy < 0 || iy >= inHeight) continue;
            for (let kx = 0; kx < kernelWidth; ++kx) {
              const ix = ox * attrs.stride[1] - attrs.padding[2] + kx * attrs.dilation[1];
              if (ix < 0 || ix >= inWidth) continue;
              const from = ((n * inHeight + iy) * inWidth + ix) * inChannels + firstChannel;
              const tap = ((oc * kernelHeight + ky) * kernelWidth + kx) * groupChannels;
              for (let c = 0; c < groupChannels; ++c) {
                acc = (acc + filter[tap + c]! * (input[from + c]! - inZero)) | 0;
              }
            }
          }
          const scaled = requantize(acc, multipliers[oc]!) + outZero;
          y.data[out++] = clamp(scaled, attrs.clamp[0], attrs.clamp[1]);
        }
      }
    }
  }
}
