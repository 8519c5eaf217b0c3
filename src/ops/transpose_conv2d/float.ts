import type { GradientWindow } from '../../ir/attributes.ts';
import { at, inputGradientCall } from '../conv2d/float.ts';
import { type FloatMeaning, floatKernel } from '../float.ts';
import { clampReal, forEachTap, Sums } from '../taps.ts';

/** The gradient of a convolution's input, whose weights are [in, kh, kw, out] here: they lie in another order. */
export const transposeConv2dFloat: FloatMeaning<'transpose_conv2d'> = {
  reference({ attrs, ins, outs }) {
    const [x, weights, bias, y] = [ins[0]!, ins[1]!, ins[2], outs[0]!];
    const [outChannels, height, width, inChannels] = weights.shape as [number, number, number, number];
    const sums = new Sums(y.data.length);
    forEachTap(y.shape, x.shape, [height, width], windowOf(attrs), (pixel, window, tap) => {
      for (let o = 0; o < outChannels; ++o) {
        for (let i = 0; i < inChannels; ++i) {
          const weight = at(weights, (o * height * width + tap) * inChannels + i);
          sums.add(pixel * outChannels + o, at(x, window * inChannels + i) * weight);
        }
      }
    });
    sums.store(y, (sum, i) => clampReal(sum + (bias ? at(bias, i % outChannels) : 0), attrs.clamp));
  },
  kernels: [
    floatKernel('conv2d_input_gradient_f32', 'patches are added to the image', ({ attrs, ins, outs }) => {
      const [x, weights, y] = [ins[0]!, ins[1]!, outs[0]!];
      const [outChannels, height, width, inChannels] = weights.shape as [number, number, number, number];
      const turned = { shape: [inChannels, height, width, outChannels] };
      const strides = {
        tap_stride: inChannels,
        in_stride: height * width * inChannels,
        out_stride: 1,
      };
      const parts = { x: y, weights: turned, y: x };
      return inputGradientCall(parts, windowOf(attrs), strides, ins[2] != null, attrs.clamp);
    }),
  ],
};

function windowOf({ stride, padding }: Pick<GradientWindow, 'stride' | 'padding'>): GradientWindow {
  return { stride, padding, dilation: [1, 1] };
}
