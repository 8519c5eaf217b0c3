import type { Value } from '../../ir/types.ts';
import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { depthwiseConv2d } from '../depthwise_conv2d/op.ts';
import {
  exponentOf,
  gradientProblem,
  gradientScaleProblem,
  incomingProblem,
  maskedGradient,
  storeGradient,
  wholeSlot,
} from '../gradient.ts';
import { firstProblem } from '../quantization.ts';
import { planeOf, wholeTensor } from '../rows.ts';
import { inputGradientDspKernels } from './dsp.ts';
import { channelFactors } from './factors.ts';
import { trainedConstants } from './forward.ts';
import { forEachTap } from './taps.ts';
import { effectiveWeights, trainedProblem } from './trained.ts';

type View = NodeView<'quantized_depthwise_conv2d_input_gradient'>;

/** Operands: g, its scale, mask?, weights, trained?, channels?, scale of the result. */
export const quantizedDepthwiseConv2dInputGradient: OpDef<'quantized_depthwise_conv2d_input_gradient'> = {
  name: 'quantized_depthwise_conv2d_input_gradient',
  verify,
  mutates: [6],
  macs: ({ ins }) => {
    const { height, width, channels } = planeOf(ins[0]!.shape);
    return height * width * channels * ins[3]!.shape[1]! * ins[3]!.shape[2]!;
  },
  reference,
  kernels: [
    ...inputGradientDspKernels,
    {
      name: 'depthwise_conv2d_input_gradient_s8',
      isa: 'portable',
      why: 'any window, one element after the other',
      refuses: () => undefined,
      bind: (view) => [bind(view)],
    },
  ],
};

function verify(view: View): Problem | undefined {
  const [g, , , weights, trained, channels, scale] = view.ins;
  const dx = view.outs[0]!;
  if (!g || !weights) return { code: 'RV2005', message: 'the gradient or the weights are missing' };
  return (
    firstProblem(
      incomingProblem(view.ins, g),
      gradientScaleProblem(scale),
      gradientProblem(dx, dx.shape),
      forwardProblem(view.attrs, dx, weights, g),
    ) ?? trainedProblem(weights, trained ?? null, channels ?? null)
  );
}

/** The problem with a depthwise convolution from an activation of the type of `x` to one of `y`, in shapes alone. */
export function forwardProblem(
  attrs: View['attrs'],
  x: Value,
  weights: Value,
  y: Value,
): Problem | undefined {
  const quantization = { scales: [1], zeroPoints: [0], axis: 0 };
  const ins = [{ ...x, quantization }, weights];
  const forward = depthwiseConv2d.verify({ attrs, ins, outs: [{ ...y, quantization }] });
  if (forward) return forward;
  if (x.shape[0] === 1 && x.shape[3] === y.shape[3]) return undefined;
  return { code: 'RV2002', message: `[${x.shape}] to [${y.shape}] is not one image with as many channels` };
}

/** A = sum of gm * factor * w over the windows that an element lies in; exponent that of g less the fraction bits. */
function reference({ attrs, ins, outs }: ReferenceView<'quantized_depthwise_conv2d_input_gradient'>): void {
  const [g, gScale, mask, weights, trained, channels, scale] = ins;
  const dx = outs[0]!;
  const gradient = maskedGradient(g!, mask);
  const filter = effectiveWeights(weights!, trained ?? null, channels ?? null);
  const { factors, fraction } = channelFactors(weights!);
  const count = factors.length;
  const accumulators = new Int32Array(dx.data.length);
  forEachTap(attrs, dx.shape, weights!.shape, g!.shape, (x, w, y) => {
    for (let c = 0; c < count; ++c) {
      const product = gradient[y * count + c]! * factors[c]! * filter[w * count + c]!;
      accumulators[x * count + c] = accumulators[x * count + c]! + product;
    }
  });
  storeGradient(accumulators, exponentOf(gScale!) - fraction, dx, scale!);
}

function bind({ attrs, ins, outs }: View): CallSpec {
  const [g, , , weights, trained, channels] = ins as [Value, Value, Value | null, Value, Value?, Value?];
  const dx = outs[0]!;
  const { factors, fraction } = channelFactors(weights);
  const [from, to] = [planeOf(g.shape), planeOf(dx.shape)];
  return {
    geometry: {
      channels: to.channels,
      in_height: from.height,
      in_width: from.width,
      out_height: to.height,
      out_width: to.width,
      kernel_height: weights.shape[1]!,
      kernel_width: weights.shape[2]!,
      stride_y: attrs.stride[0],
      stride_x: attrs.stride[1],
      dilation_y: attrs.dilation[0],
      dilation_x: attrs.dilation[1],
      pad_top: attrs.padding[0],
      pad_left: attrs.padding[2],
      trained: trained?.shape[3] ?? 0,
      fraction,
    },
    data: {
      ...trainedConstants(weights, trained, channels),
      factors: { role: 'table', data: factors },
    },
    firings: 1,
    slots: [0, 1, 6, 2, 4].map((operand) => wholeSlot(ins, operand)),
    output: wholeTensor(dx),
  };
}
