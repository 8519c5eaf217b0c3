/** Rows of the table for isa `simd`. */
import type { Value } from '../../ir/types.ts';
import { channelMultipliers } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { zeroPointOf } from '../quantization.ts';
import { eachRow, planeOf, windowSlots } from '../rows.ts';
import { denseWeights, type WeightedConstants, weightedConstants } from '../simd.ts';

type View = NodeView<'conv2d'>;

/** Inputs of one window that the kernel lays out. */
const MOST_INPUTS = 4096;

export const conv2dSimdKernels: readonly Kernel<'conv2d'>[] = [
  {
    name: 'conv2d_1x1_s8_simd',
    isa: 'simd',
    why: 'pointwise: four pixels by eight channels share every load',
    shared: true,
    refuses(view) {
      const [, kernelHeight, kernelWidth] = view.ins[1]!.shape;
      if (kernelHeight !== 1 || kernelWidth !== 1) return 'the window is larger than 1x1';
      if (view.attrs.stride[1] !== 1) return 'the horizontal stride is not 1';
      if (view.attrs.padding.some((padding) => padding !== 0)) return 'the input is padded';
      return problem(view);
    },
    bind(view) {
      const { in_channels, out_width: width, out_channels, ...rest } = geometry(view);
      const { out_min, out_max } = rest;
      return [bind(view, { width, in_channels, out_channels, out_min, out_max })];
    },
  },
  {
    name: 'conv2d_s8_simd',
    isa: 'simd',
    why: 'the windows of four pixels are laid out and share every weight',
    shared: true,
    refuses(view) {
      const [, kernelHeight, kernelWidth, channels] = view.ins[1]!.shape as [number, number, number, number];
      const inputs = kernelHeight * kernelWidth * channels;
      if (inputs > MOST_INPUTS) return `a window has ${inputs} elements, more than ${MOST_INPUTS}`;
      return problem(view);
    },
    bind: (view) => [bind(view, geometry(view))],
  },
];

function problem(view: View): string | undefined {
  if (view.ins[1]!.shape[3] !== view.ins[0]!.shape[3]) return 'the convolution is grouped';
  const result = constants(view);
  return typeof result === 'string' ? result : undefined;
}

function constants({ attrs, ins, outs }: View): WeightedConstants | string {
  const [x, weights, bias] = ins as [Value, Value, Value | null | undefined];
  const channels = weights.shape[0]!;
  const multipliers = channelMultipliers(x, weights, outs[0]!, channels);
  return weightedConstants(denseWeights, [x, weights, bias], [outs[0]!, attrs.clamp], multipliers);
}

function geometry(view: View) {
  const { attrs, ins, outs } = view;
  const [x, y] = [ins[0]!, outs[0]!];
  const [outChannels, kernelHeight, kernelWidth] = ins[1]!.shape as [number, number, number];
  return {
    in_width: planeOf(x.shape).width,
    in_channels: planeOf(x.shape).channels,
    out_width: planeOf(y.shape).width,
    out_channels: outChannels,
    kernel_height: kernelHeight,
    kernel_width: kernelWidth,
    stride: attrs.stride[1],
    dilation: attrs.dilation[1],
    pad_left: attrs.padding[2],
    in_zero_point: zeroPointOf(x),
    out_min: attrs.clamp[0],
    out_max: attrs.clamp[1],
  };
}

function bind(view: View, fields: Readonly<Record<string, number>>): CallSpec {
  const { attrs, ins, outs } = view;
  const [x, y] = [ins[0]!, outs[0]!];
  return {
    geometry: fields,
    data: constants(view) as WeightedConstants,
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
