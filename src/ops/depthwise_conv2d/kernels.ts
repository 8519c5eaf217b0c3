import type { Value } from '../../ir/types.ts';
import { convolutionData, foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { zeroPointOf } from '../quantization.ts';
import { planeOf } from '../rows.ts';
import { depthwiseDspKernels } from './dsp.ts';
import { channelsFirst, planeProblem, planeWidth, rows } from './layout.ts';
import { depthwiseConv2dMveKernels } from './mve.ts';
import { depthwiseConv2dSimdKernels } from './simd.ts';

type View = NodeView<'depthwise_conv2d'>;

/** Tried in order; see `Kernel`. */
export const depthwiseConv2dKernels: readonly Kernel<'depthwise_conv2d'>[] = [
  ...depthwiseConv2dMveKernels,
  ...depthwiseConv2dSimdKernels,
  ...depthwiseDspKernels,
  {
    name: 'depthwise_conv2d_plane_s8',
    isa: 'portable',
    why: 'each channel is laid out contiguously once and then slid over without any check',
    refuses: planeProblem,
    bind: bindPlane,
  },
  {
    name: 'depthwise_conv2d_s8',
    isa: 'portable',
    why: 'any window, stride, dilation, padding and channel multiplier',
    refuses: () => undefined,
    bind: bindDirect,
  },
];

function bindDirect(view: View): CallSpec[] {
  const [x, weights, bias] = view.ins as [Value, Value, Value | null | undefined];
  const y = view.outs[0]!;
  return [
    {
      geometry: { ...geometry(view), in_width: planeOf(x.shape).width },
      data: convolutionData(x, weights, bias, y, weights.shape[3]!),
      ...rows(view),
    },
  ];
}

function bindPlane(view: View): CallSpec[] {
  const [x, weights, bias] = view.ins as [Value, Value, Value | null | undefined];
  const y = view.outs[0]!;
  const data = convolutionData(x, weights, bias, y, weights.shape[3]!);
  const packed = channelsFirst(weights);
  const folded = foldZeroPoint(data.bias.data as Int32Array, packed, zeroPointOf(x));
  const plane_width = planeWidth(view);
  const in_columns = Math.min(planeOf(x.shape).width, plane_width - view.attrs.padding[2]);
  return [
    {
      geometry: { ...geometry(view), plane_width, in_columns },
      data: {
        ...data,
        weights: { role: 'weights', data: packed },
        bias: { role: 'weights', data: folded },
      },
      ...rows(view),
      scratchBytes: weights.shape[1]! * plane_width,
    },
  ];
}

/** Geometry fields that both kernels have. */
function geometry({ attrs, ins, outs }: View): Record<string, number> {
  const [x, weights] = [ins[0]!, ins[1]!];
  const y = outs[0]!;
  const [, kernelHeight, kernelWidth, outChannels] = weights.shape as [number, number, number, number];
  return {
    in_channels: planeOf(x.shape).channels,
    out_width: planeOf(y.shape).width,
    channel_multiplier: outChannels / planeOf(x.shape).channels,
    kernel_height: kernelHeight,
    kernel_width: kernelWidth,
    stride: attrs.stride[1],
    dilation: attrs.dilation[1],
    pad_left: attrs.padding[2],
    in_zero_point: zeroPointOf(x),
    out_zero_point: zeroPointOf(y),
    out_min: attrs.clamp[0],
    out_max: attrs.clamp[1],
  };
}
