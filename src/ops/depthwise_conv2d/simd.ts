/** Rows of the table for isa `simd`. */
import type { Value } from '../../ir/types.ts';
import { channelMultipliers } from '../convolution.ts';
import type { Kernel, NodeView } from '../definition.ts';
import { zeroPointOf } from '../quantization.ts';
import { eachRow, planeOf, windowSlots } from '../rows.ts';
import { depthwiseWeights, type WeightedConstants, weightedConstants } from '../simd.ts';

type View = NodeView<'depthwise_conv2d'>;

/** Columns under the windows of four pixels that the kernel lays out. */
const MOST_COLUMNS = 1024;

export const depthwiseConv2dSimdKernels: readonly Kernel<'depthwise_conv2d'>[] = [
  {
    name: 'depthwise_conv2d_s8_simd',
    isa: 'simd',
    why: 'eight channels of four pixels at a time, two taps with each multiply-add',
    shared: true,
    refuses(view) {
      const [x, weights] = [view.ins[0]!, view.ins[1]!];
      if (weights.shape[3] !== planeOf(x.shape).channels) return 'the channel multiplier is not 1';
      const columns = 3 * view.attrs.stride[1] + (weights.shape[2]! - 1) * view.attrs.dilation[1] + 1;
      if (columns > MOST_COLUMNS) return `four windows have ${columns} columns, more than ${MOST_COLUMNS}`;
      const result = constants(view);
      return typeof result === 'string' ? result : undefined;
    },
    bind(view) {
      const { attrs, ins, outs } = view;
      const [x, y] = [ins[0]!, outs[0]!];
      const [, kernelHeight, kernelWidth, channels] = ins[1]!.shape as [number, number, number, number];
      const data = constants(view) as WeightedConstants;
      return [
        {
          geometry: {
            in_width: planeOf(x.shape).width,
            channels,
            out_width: planeOf(y.shape).width,
            kernel_height: kernelHeight,
            kernel_width: kernelWidth,
            stride: attrs.stride[1],
            dilation: attrs.dilation[1],
            pad_left: attrs.padding[2],
            in_zero_point: zeroPointOf(x),
            out_min: attrs.clamp[0],
            out_max: attrs.clamp[1],
          },
          data,
          firings: eachRow(y).rows.length,
          slots: windowSlots(x, y, {
            kernelHeight,
            stride: attrs.stride,
            dilation: attrs.dilation,
            top: attrs.padding[0],
          }),
          output: eachRow(y),
        },
      ];
    },
  },
];

function constants({ attrs, ins, outs }: View): WeightedConstants | string {
  const [x, weights, bias] = ins as [Value, Value, Value | null | undefined];
  const channels = weights.shape[3]!;
  const multipliers = channelMultipliers(x, weights, outs[0]!, channels);
  return weightedConstants(depthwiseWeights, [x, weights, bias], [outs[0]!, attrs.clamp], multipliers);
}
