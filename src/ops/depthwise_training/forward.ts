import type { Value } from '../../ir/types.ts';

import { channelMultipliers } from '../convolution.ts';
import type { CallSpec, KernelConstant, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { rows } from '../depthwise_conv2d/layout.ts';
import { depthwiseConv2d } from '../depthwise_conv2d/op.ts';
import { depthwiseConv2dReference } from '../depthwise_conv2d/reference.ts';
import { multiplierConstants, zeroPointOf } from '../quantization.ts';
import { planeOf, wholeTensor } from '../rows.ts';
import { sameShape } from '../strided.ts';
import { trainedDepthwiseDspKernel } from './dsp-forward.ts';
import { effectiveWeights, trainedIndices, trainedProblem } from './trained.ts';

type View = NodeView<'trained_depthwise_conv2d'>;

/** Channels are int16 in the kernel. */
const MAX_CHANNELS = 1 << 15;

/** A depthwise convolution whose bias, and weights of some channels, are states. */
export const trainedDepthwiseConv2d: OpDef<'trained_depthwise_conv2d'> = {
  name: 'trained_depthwise_conv2d',
  verify,
  macs: (view) => depthwiseConv2d.macs(asDepthwise(view)),
  reference,
  kernels: [
    trainedDepthwiseDspKernel,
    {
      name: 'trained_depthwise_conv2d_s8',
      isa: 'portable',
      why: 'any window and trained channels, one output after the other',
      refuses: () => undefined,
      bind: (view) => [bind(view)],
    },
  ],
};

/** The same node without what is trained. */
export function asDepthwise({ attrs, ins, outs }: View): NodeView<'depthwise_conv2d'> {
  return { attrs, ins: ins.slice(0, 2), outs };
}

function verify(view: View): Problem | undefined {
  const [x, weights, bias, trained, channels] = view.ins;
  const convolution = depthwiseConv2d.verify(asDepthwise(view));
  if (convolution) return convolution;
  const count = weights!.shape[3]!;
  if (count !== x!.shape[3] || count > MAX_CHANNELS) {
    return { code: 'RV2002', message: `${x!.shape[3]} channels become ${count}` };
  }
  if (bias?.role !== 'state' || bias.dtype !== 'int32' || !sameShape(bias.shape, [count])) {
    return { code: 'RV2005', message: `the bias is not a state of ${count} int32` };
  }
  return trainedProblem(weights!, trained ?? null, channels ?? null);
}

function reference({ attrs, ins, outs }: ReferenceView<'trained_depthwise_conv2d'>): void {
  const [x, weights, bias, trained, channels] = ins;
  const data = effectiveWeights(weights!, trained ?? null, channels ?? null);
  depthwiseConv2dReference({ attrs, ins: [x!, { ...weights!, data }, bias!], outs });
}

function bind(view: View): CallSpec {
  const { attrs, ins, outs } = view;
  const [x, weights, bias, trained, channels] = ins as [Value, Value, Value, Value?, Value?];
  const y = outs[0]!;
  const [, kernelHeight, kernelWidth, count] = weights.shape as [number, number, number, number];
  const window = rows(asDepthwise(view));
  return {
    geometry: {
      in_width: planeOf(x.shape).width,
      channels: count,
      out_width: planeOf(y.shape).width,
      kernel_height: kernelHeight,
      kernel_width: kernelWidth,
      stride: attrs.stride[1],
      dilation: attrs.dilation[1],
      pad_left: attrs.padding[2],
      trained: trained?.shape[3] ?? 0,
      in_zero_point: zeroPointOf(x),
      out_zero_point: zeroPointOf(y),
      out_min: attrs.clamp[0],
      out_max: attrs.clamp[1],
    },
    data: {
      ...trainedConstants(weights, trained, channels),
      ...multiplierConstants(channelMultipliers(x, weights, y, count)),
    },
    ...window,
    slots: [
      ...window.slots,
      { operand: 2, ...wholeTensor(bias, window.firings) },
      ...(trained ? [{ operand: 3, ...wholeTensor(trained, window.firings) }] : []),
    ],
  };
}

/** The frozen weights, as they are, and which channels are not; where all are trained there is nothing to store. */
export function trainedConstants(
  weights: Value,
  trained: Value | null | undefined,
  channels: Value | null | undefined,
): Record<'weights' | 'indices', KernelConstant> {
  const indices = trainedIndices(weights, trained, channels);
  return {
    weights: { role: 'weights', data: indices.includes(-1) ? weights.data! : new Int8Array(1) },
    indices: { role: 'table', data: indices },
  };
}
