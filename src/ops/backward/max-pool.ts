import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { exponentOf, maskedGradient, storeGradient, wholeSlot } from '../gradient.ts';
import { wholeTensor } from '../rows.ts';
import { sameShape } from '../strided.ts';
import { pixelsUnder, poolGeometry, poolGradientProblem } from './pooling.ts';

type View = NodeView<'quantized_max_pool2d_gradient'>;

/** Operands: x, g, its scale, mask?, scale of the result. */
export const quantizedMaxPool2dGradient: OpDef<'quantized_max_pool2d_gradient'> = {
  name: 'quantized_max_pool2d_gradient',
  verify,
  mutates: [4],
  macs: () => 0,
  reference,
  kernels: [
    {
      name: 'max_pool2d_gradient_s8',
      isa: 'portable',
      why: 'any window, one element after the other',
      refuses: () => undefined,
      bind: (view) => [bind(view)],
    },
  ],
};

function verify({ attrs, ins, outs }: View): Problem | undefined {
  const [x, dx] = [ins[0], outs[0]!];
  if (x?.dtype !== 'int8' || !sameShape(x.shape, dx.shape)) {
    return { code: 'RV2005', message: `an input ${x?.dtype} [${x?.shape}] for a gradient [${dx.shape}]` };
  }
  return poolGradientProblem(attrs, ins.slice(1), dx);
}

/** The gradient of a window goes to the first of its largest elements. */
function reference({ attrs, ins, outs }: ReferenceView<'quantized_max_pool2d_gradient'>): void {
  const [x, g, gScale, mask, scale] = ins;
  const dx = outs[0]!;
  const channels = dx.shape[3]!;
  const values = x!.data as Int8Array;
  const accumulators = new Int32Array(dx.data.length);
  maskedGradient(g!, mask).forEach((gradient, i) => {
    const c = i % channels;
    const elements = pixelsUnder(attrs, dx, g!, Math.floor(i / channels)).map(
      (pixel) => pixel * channels + c,
    );
    const largest = elements.reduce((best, at) => (values[at]! > values[best]! ? at : best));
    accumulators[largest] = accumulators[largest]! + gradient;
  });
  storeGradient(accumulators, exponentOf(gScale!), dx, scale!);
}

function bind({ attrs, ins, outs }: View): CallSpec {
  return {
    geometry: poolGeometry(attrs, ins[1]!, outs[0]!),
    data: {},
    firings: 1,
    slots: [1, 2, 4, 3, 0].map((operand) => wholeSlot(ins, operand)),
    output: wholeTensor(outs[0]!),
  };
}
