import { elementCount } from '../../ir/types.ts';
import { at, productCall } from '../conv2d/float.ts';
import { type FloatMeaning, floatKernel } from '../float.ts';
import { clampReal } from '../taps.ts';

export const fullyConnectedFloat: FloatMeaning<'fully_connected'> = {
  reference({ attrs, ins, outs }) {
    const [x, weights, bias, y] = [ins[0]!, ins[1]!, ins[2], outs[0]!];
    const [outputs, inputs] = weights.shape as [number, number];
    for (let i = 0; i < y.data.length; ++i) {
      const [row, o] = [Math.floor(i / outputs), i % outputs];
      let sum = bias ? at(bias, o) : 0;
      for (let k = 0; k < inputs; ++k) sum += at(x, row * inputs + k) * at(weights, o * inputs + k);
      y.data[i] = clampReal(sum, attrs.clamp);
    }
  },
  kernels: [
    floatKernel('product_f32', 'a product of matrices', ({ attrs, ins }) => {
      const [columns, inner] = ins[1]!.shape as [number, number];
      const rows = elementCount(ins[0]!.shape) / inner;
      return productCall({
        rows,
        inner,
        columns,
        strides: [1, inner],
        hasBias: ins[2] != null,
        bounds: attrs.clamp,
      });
    }),
  ],
};
