import type { Value } from '../../ir/types.ts';
import { convolutionData, foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { zeroPointOf } from '../quantization.ts';
import { eachRow, planeOf, windowSlots } from '../rows.ts';
import { depthwiseConv2dMveKernels } from './mve.ts';

type View = NodeView<'depthwise_conv2d'>;

/** Tried in order; see `Kernel`. */
export const depthwiseConv2dKernels: readonly Kernel<'depthwise_conv2d'>[] = [
  ...depthwiseConv2dMveKernels,
  {
    name: 'depthwise_conv2d_plane_s8',
    isa: 'portable',
    why: 'each channel is laid out contiguously once and then slid over without any check',
    refuses(view) {
      const { width } = planeOf(view.ins[0]!.shape);
      return planeWidth(view) > 2 * width ? 'most columns are padding' : undefined;
    },
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

function rows({ attrs, ins, outs }: View): Pick<CallSpec, 'firings' | 'slots' | 'output'> {
  const [x, y] = [ins[0]!, outs[0]!];
  return {
    firings: eachRow(y).rows.length,
    slots: windowSlots(x, y, {
      kernelHeight: ins[1]!.shape[1]!,
      stride: attrs.stride,
      dilation: attrs.dilation,
      top: attrs.padding[0],
    }),
    output: eachRow(y),
  };
}

/** Columns under the windows of all outputs, these rounded up to whole fours. */
function planeWidth({ attrs, ins, outs }: View): number {
  const outputs = Math.ceil(planeOf(outs[0]!.shape).width / 4) * 4;
  const last = (outputs - 1) * attrs.stride[1];
  return last + (ins[1]!.shape[2]! - 1) * attrs.dilation[1] + 1;
}

/** Weights [1, kh, kw, channels] as [channels, kh, kw]. */
function channelsFirst(weights: Value): Int8Array {
  const channels = weights.shape[3]!;
  const w = weights.data as Int8Array;
  const taps = w.length / channels;
  return w.map((_, i) => w[(i % taps) * channels + Math.floor(i / taps)]!);
}
