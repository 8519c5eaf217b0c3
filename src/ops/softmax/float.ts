import { elementCount } from '../../ir/types.ts';
import { at } from '../conv2d/float.ts';
import { type FloatMeaning, floatKernel, operandsProblem, shapeProblem } from '../float.ts';

export const softmaxFloat: FloatMeaning<'softmax'> = {
  verify: (view) => operandsProblem(view, 1) ?? shapeProblem(view.outs[0]!, view.ins[0]!.shape),
  reference({ attrs: { beta }, ins, outs }) {
    const [x, y] = [ins[0]!, outs[0]!];
    const classes = x.shape.at(-1) ?? 1;
    for (let start = 0; start < y.data.length; start += classes) {
      const values = Array.from({ length: classes }, (_, c) => at(x, start + c) * beta);
      softmaxOf(values).forEach((share, c) => {
        y.data[start + c] = share;
      });
    }
  },
  kernels: [
    floatKernel('softmax_f32', 'the last dimension', ({ attrs, outs }) => {
      const { shape } = outs[0]!;
      const classes = shape.at(-1) ?? 1;
      return { geometry: { rows: elementCount(shape) / classes, classes }, data: { beta: [attrs.beta] } };
    }),
  ],
};

export function softmaxOf(values: readonly number[]): number[] {
  const most = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
