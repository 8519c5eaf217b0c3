/** Convolutions on cores with the DSP extension: two channels by up to four pixels at a time. */
import type { Value } from '../../ir/types.ts';
import { biasOf, convolutionData, foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { packProduct } from '../dsp-product.ts';
import { type FastRequantization, fastRequantization, isRelu, largestSums } from '../fast-requantize.ts';
import { zeroPointOf } from '../quantization.ts';
import { eachRow, planeOf, windowSlots } from '../rows.ts';

type View = NodeView<'conv2d'>;

/** Best first: the more pixels share a column, the fewer loads. */
export const dspKernels: readonly Kernel<'conv2d'>[] = [
  ...[4, 2].map(
    (pixels): Kernel<'conv2d'> => ({
      name: 'conv2d_columns_s8',
      isa: 'dsp',
      why: `${pixels} pixels by two channels at a time, from a column of widened values`,
      roomy: true,
      shared: true,
      refuses,
      bind: (view) => bindColumns(view, pixels),
    }),
  ),
  {
    name: 'conv2d_stack_s8',
    isa: 'dsp',
    why: 'several pixels by two channels at a time, from a column of widened values on the stack',
    shared: true,
    refuses: (view) =>
      refuses(view) ??
      (pixelsOnStack(view) === undefined ? 'the column is too large for the stack' : undefined),
    bind: (view) => bindColumns(view, pixelsOnStack(view)!).map(({ scratchBytes, ...spec }) => spec),
  },
  {
    name: 'conv2d_direct_s8',
    isa: 'dsp',
    why: 'two pixels by two channels at a time, without scratch',
    shared: true,
    refuses: (view) =>
      view.ins[0]!.shape[3]! % 4 === 0
        ? refuses(view)
        : 'the number of input channels is not a multiple of 4',
    bind: bindDirect,
  },
];

function refuses(view: View): string | undefined {
  const { attrs, ins } = view;
  const [x, weights] = ins as [Value, Value];
  if (weights.shape[3] !== x.shape[3]) return 'the convolution is grouped';
  if (attrs.dilation[0] !== 1 || attrs.dilation[1] !== 1) return 'the window is dilated';
  if (weights.shape[0]! < 2) return 'there is a single output channel';
  const fast = requantization(view);
  return typeof fast === 'string' ? fast : undefined;
}

function requantization({ ins, outs }: View): FastRequantization {
  const [x, weights, bias] = ins as [Value, Value, Value | null | undefined];
  const data = convolutionData(x, weights, bias, outs[0]!, weights.shape[0]!);
  const reach = largestSums(weights.data as Int8Array, data.bias.data as Int32Array, zeroPointOf(x));
  return fastRequantization(
    reach,
    zeroPointOf(outs[0]!),
    data.multiplier.data as Int32Array,
    data.shift.data as Int8Array,
  );
}

/** Geometry fields that both kernels have, and the rows. */
function common({
  attrs,
  ins,
  outs,
}: View): { geometry: Record<string, number> } & Pick<CallSpec, 'firings' | 'slots' | 'output'> {
  const [x, weights] = ins as [Value, Value];
  const y = outs[0]!;
  const [out_channels, kernel_height, kernel_width, in_channels] = weights.shape;
  return {
    geometry: {
      in_width: planeOf(x.shape).width,
      in_channels: in_channels!,
      out_width: planeOf(y.shape).width,
      out_channels: out_channels!,
      kernel_height: kernel_height!,
      kernel_width: kernel_width!,
      stride: attrs.stride[1],
      pad_left: attrs.padding[2],
      in_zero_point: zeroPointOf(x),
      out_zero_point: zeroPointOf(y),
      out_min: attrs.clamp[0],
      out_max: attrs.clamp[1],
    },
    firings: eachRow(y).rows.length,
    slots: windowSlots(x, y, {
      kernelHeight: kernel_height!,
      stride: attrs.stride,
      dilation: attrs.dilation,
      top: attrs.padding[0],
    }),
    output: eachRow(y),
  };
}

/** What conv2d_stack_s8 has for columns. */
const STACK_BYTES = 896;

function pixelsOnStack(view: View): number | undefined {
  return [4, 2].find((pixels) => bindColumns(view, pixels)[0]!.scratchBytes! <= STACK_BYTES);
}

function bindColumns(view: View, pixels: number): CallSpec[] {
  const { attrs, ins, outs } = view;
  const [x, weights, bias] = ins as [Value, Value, Value | null | undefined];
  const [out_channels, kernel_height, kernel_width, in_channels] = weights.shape as [
    number,
    number,
    number,
    number,
  ];
  const rowValues = kernel_width * in_channels;
  // Rows of whole words are widened where they lie; others are copied together first, which also saves filling each up.
  const joined = rowValues % 4 !== 0;
  const rows = joined ? 1 : kernel_height;
  const quads = Math.ceil((kernel_height * rowValues) / rows / 4);
  // Doubling the column costs an instruction for two values, doubling sums one for each output.
  const doubled =
    isRelu(zeroPointOf(outs[0]!), attrs.clamp) &&
    attrs.clamp[1] === 127 &&
    2 * out_channels > kernel_height * rowValues;
  const copies = joined || attrs.padding.some((pad) => pad > 0);
  const { geometry, ...slots } = common(view);
  return [
    {
      geometry: { ...geometry, joined: Number(joined), quads, pixels, doubled: Number(doubled) },
      data: {
        stream: packProduct({
          weights: weights.data as Int8Array,
          rows,
          bias: foldZeroPoint(biasOf(bias, out_channels), weights.data as Int8Array, zeroPointOf(x)),
          ...(requantization(view) as Exclude<FastRequantization, string>),
          doubled,
        }),
      },
      ...slots,
      scratchBytes: pixels * quads * (8 * rows + (copies ? 4 : 0)),
    },
  ];
}

function bindDirect(view: View): CallSpec[] {
  const [, weights, bias] = view.ins as [Value, Value, Value | null | undefined];
  return [
    {
      ...common(view),
      data: {
        stream: packProduct({
          weights: weights.data as Int8Array,
          rows: 1,
          bias: biasOf(bias, weights.shape[0]!),
          ...(requantization(view) as Exclude<FastRequantization, string>),
          doubled: false,
        }),
      },
    },
  ];
}
