import type { PoolAttributes } from '../../ir/attributes.ts';
import type { TensorType } from '../../ir/types.ts';
import type { CallSpec, NodeView, OpDef, ReferenceView } from '../definition.ts';
import { type Factors, factorsOf } from '../factors.ts';
import { exponentOf, maskedGradient, storeGradient, wholeSlot } from '../gradient.ts';
import { wholeTensor } from '../rows.ts';
import { pixelsUnder, poolGeometry, poolGradientProblem } from './pooling.ts';

type View = NodeView<'quantized_average_pool2d_gradient'>;

/** Operands: g, its scale, mask?, scale of the result. */
export const quantizedAveragePool2dGradient: OpDef<'quantized_average_pool2d_gradient'> = {
  name: 'quantized_average_pool2d_gradient',
  verify: ({ attrs, ins, outs }) => poolGradientProblem(attrs, ins, outs[0]!),
  mutates: [3],
  macs: () => 0,
  reference,
  kernels: [
    {
      name: 'average_pool2d_gradient_s8',
      isa: 'portable',
      why: 'any window, one element after the other',
      refuses: () => undefined,
      bind: (view) => [bind(view)],
    },
  ],
};

/** The share of each pixel under the window of an output pixel: 1 / (those inside the image). */
function shares(attrs: PoolAttributes, dx: TensorType, g: TensorType): Factors {
  const outputs = g.shape[1]! * g.shape[2]!;
  const reals = Array.from({ length: outputs }, (_, output) => 1 / pixelsUnder(attrs, dx, g, output).length);
  return factorsOf(reals, attrs.kernel[0] * attrs.kernel[1]);
}

/** A = sum of gm * share over the windows that an element lies in; exponent that of g less the fraction bits. */
function reference({ attrs, ins, outs }: ReferenceView<'quantized_average_pool2d_gradient'>): void {
  const [g, gScale, mask, scale] = ins;
  const dx = outs[0]!;
  const channels = dx.shape[3]!;
  const { factors, fraction } = shares(attrs, dx, g!);
  const gradient = maskedGradient(g!, mask);
  const accumulators = new Int32Array(dx.data.length);
  factors.forEach((factor, output) => {
    for (const pixel of pixelsUnder(attrs, dx, g!, output)) {
      for (let c = 0; c < channels; ++c) {
        const at = pixel * channels + c;
        accumulators[at] = accumulators[at]! + gradient[output * channels + c]! * factor;
      }
    }
  });
  storeGradient(accumulators, exponentOf(gScale!) - fraction, dx, scale!);
}

function bind({ attrs, ins, outs }: View): CallSpec {
  const [g, dx] = [ins[0]!, outs[0]!];
  const { factors, fraction } = shares(attrs, dx, g);
  return {
    geometry: { ...poolGeometry(attrs, g, dx), fraction },
    data: { factors: { role: 'table', data: factors } },
    firings: 1,
    slots: [0, 1, 3, 2].map((operand) => wholeSlot(ins, operand)),
    output: wholeTensor(dx),
  };
}
