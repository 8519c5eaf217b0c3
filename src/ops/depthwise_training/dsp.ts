/** Kernels for the Armv7E-M DSP extension, for frozen weights: square windows of 3, 5 and 7. */
import type { ConvolutionAttributes } from '../../ir/attributes.ts';
import { elementCount, type Value } from '../../ir/types.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { channelsFirst } from '../depthwise_conv2d/layout.ts';
import { wholeSlot } from '../gradient.ts';
import { planeOf, wholeTensor } from '../rows.ts';
import { sameShape } from '../strided.ts';
import { channelFactors } from './factors.ts';

type InputGradient = NodeView<'quantized_depthwise_conv2d_input_gradient'>;

/** Most bytes of planes in scratch. */
const MOST_SCRATCH = 4096;

/** Why windows cannot slide, or undefined. */
export function slidingProblem(
  { dilation }: ConvolutionAttributes,
  weights: Value,
  trained: Value | null | undefined,
): string | undefined {
  const [, height, width] = weights.shape as [number, number, number];
  if (trained) return 'weights are trained';
  if (height !== width || ![3, 5, 7].includes(height)) return `the window is ${height}x${width}`;
  return dilation[0] === 1 && dilation[1] === 1 ? undefined : 'the window is dilated';
}

/** Whether the result can take the place of the gradient that it is made from. */
function isInPlace({ ins, outs }: InputGradient): boolean {
  return sameShape(ins[0]!.shape, outs[0]!.shape);
}

const NAME = 'depthwise_conv2d_input_gradient_dsp_s8';

/** Best first: the first needs bytes, the second time where the result lies on what it is made from. */
export const inputGradientDspKernels: readonly Kernel<'quantized_depthwise_conv2d_input_gradient'>[] = [
  {
    name: NAME,
    isa: 'dsp',
    why: 'works on a copy, so that one pass is enough in place',
    roomy: true,
    refuses: (view) =>
      slidingProblemOf(view) ?? (isInPlace(view) ? undefined : 'the result has another shape'),
    bind: (view) => [bindInputGradient(view, true)],
  },
  {
    name: NAME,
    isa: 'dsp',
    why: 'the window turned round slides over planes, two taps an instruction',
    refuses: slidingProblemOf,
    bind: (view) => [bindInputGradient(view, false)],
  },
];

/** Why the window cannot slide over planes, or undefined. */
function slidingProblemOf(view: InputGradient): string | undefined {
  const { attrs, ins } = view;
  const problem = slidingProblem(attrs, ins[3]!, ins[4]);
  if (problem) return problem;
  const size = ins[3]!.shape[1]!;
  if (attrs.padding[0] >= size || attrs.padding[2] >= size) return 'windows lie in the padding';
  return planesOf(view) === 0 ? `a plane has more than ${MOST_SCRATCH} bytes` : undefined;
}

/** Columns of a plane: whole fours of elements, and what the window has beyond. */
function planeWidth({ ins, outs }: InputGradient): number {
  return Math.ceil(planeOf(outs[0]!.shape).width / 4) * 4 + ins[3]!.shape[2]! - 1;
}

/** How many planes are worked on together, 4 or 1; 0: not even one has room. */
function planesOf(view: InputGradient): 0 | 1 | 4 {
  const { height, channels } = planeOf(view.ins[0]!.shape);
  const bytes = height * planeWidth(view);
  if (channels % 4 === 0 && 4 * bytes <= MOST_SCRATCH) return 4;
  return bytes <= MOST_SCRATCH ? 1 : 0;
}

function bindInputGradient(view: InputGradient, copies: boolean): CallSpec {
  const { attrs, ins, outs } = view;
  const [g, , , weights] = ins as [Value, Value, Value | null, Value];
  const dx = outs[0]!;
  const [from, to] = [planeOf(g.shape), planeOf(dx.shape)];
  const size = weights.shape[1]!;
  const { factors, fraction } = channelFactors(weights);
  const [planes, plane_width] = [planesOf(view), planeWidth(view)];
  const before = size - 1 - attrs.padding[2];
  return {
    geometry: {
      channels: to.channels,
      in_height: from.height,
      in_width: from.width,
      columns: Math.min(from.width, Math.ceil((plane_width - before) / attrs.stride[1])),
      out_height: to.height,
      out_width: to.width,
      size,
      stride_y: attrs.stride[0],
      stride_x: attrs.stride[1],
      above: size - 1 - attrs.padding[0],
      before,
      planes,
      plane_width,
      fraction,
      copies: copies ? 1 : 0,
    },
    data: {
      weights: { role: 'weights', data: channelsFirst(weights) },
      factors: { role: 'table', data: factors },
    },
    firings: 1,
    slots: [0, 1, 6, 2].map((operand) => wholeSlot(ins, operand)),
    output: wholeTensor(dx),
    scratchBytes: planes * from.height * plane_width + (copies ? elementCount(g.shape) : 0),
    inPlaceExactly: isInPlace(view) ? [0] : [],
  };
}
