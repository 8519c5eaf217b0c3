/** Convolutions on cores with the DSP extension: two channels by up to four pixels at a time. */
import type { Value } from '../../ir/types.ts';
import { foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { columnWords, packProduct, stripWords } from '../dsp-product.ts';
import { type Channels, isRelu } from '../fast-requantize.ts';
import { zeroPointOf } from '../quantization.ts';
import { eachRow, planeOf, windowSlots } from '../rows.ts';
import { fastChannelsOf } from './channels.ts';

type View = NodeView<'conv2d'>;

/** Best first: the more pixels share a column, the fewer loads. */
export const dspKernels: readonly Kernel<'conv2d'>[] = [
  {
    name: 'conv2d_strip_s8',
    isa: 'dsp',
    why: 'four pixels by two channels at a time, from a strip of widened columns that windows share',
    roomy: true,
    shared: true,
    refuses: refusesStrip,
    bind: bindStrip,
  },
  {
    name: 'conv2d_strip_stack_s8',
    isa: 'dsp',
    why: 'four pixels by two channels at a time, from a strip on the stack that windows share',
    shared: true,
    refuses: (view) =>
      refusesStrip(view) ??
      (bindStrip(view)[0]!.scratchBytes! > STACK_BYTES ? 'the strip is too large for the stack' : undefined),
    bind: (view) => withoutScratch(bindStrip(view)),
  },
  columns(4, true),
  columns(4, false),
  columns(2, false),
  stack(4, true),
  stack(4, false),
  stack(2, false),
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

function columns(pixels: number, wide: boolean): Kernel<'conv2d'> {
  return {
    name: 'conv2d_columns_s8',
    isa: 'dsp',
    why: `${pixels} pixels by two channels at a time, from a column of widened values${wide ? ', weights as int16' : ''}`,
    roomy: true,
    spendsFlash: wide,
    shared: true,
    refuses: (view) => (wide ? refusesWide(view) : undefined) ?? refuses(view),
    bind: (view) => bindColumns(view, pixels, wide),
  };
}

/** As `columns`, with the column on the stack. */
function stack(pixels: number, wide: boolean): Kernel<'conv2d'> {
  return {
    ...columns(pixels, wide),
    name: 'conv2d_stack_s8',
    roomy: false,
    refuses: (view) =>
      (wide ? refusesWide(view) : undefined) ??
      refuses(view) ??
      (bindColumns(view, pixels, wide)[0]!.scratchBytes! > STACK_BYTES
        ? `the column of ${pixels} pixels is too large for the stack`
        : undefined),
    bind: (view) => withoutScratch(bindColumns(view, pixels, wide)),
  };
}

/** Weights that may take twice the flash: few, and used for whole tiles of four pixels only. */
const WIDE_WEIGHTS = 2048;

function refusesWide({ ins, outs }: View): string | undefined {
  if (ins[1]!.data!.length > WIDE_WEIGHTS) return 'there are too many weights to widen';
  if (planeOf(outs[0]!.shape).width % 4 !== 0) return 'the width is not a multiple of 4';
  return undefined;
}

function refuses(view: View): string | undefined {
  const { attrs, ins } = view;
  const [x, weights] = ins as [Value, Value];
  if (weights.shape[3] !== x.shape[3]) return 'the convolution is grouped';
  if (attrs.dilation[0] !== 1 || attrs.dilation[1] !== 1) return 'the window is dilated';
  if (weights.shape[0]! < 2) return 'there is a single output channel';
  const fast = fastChannelsOf(view);
  return typeof fast === 'string' ? fast : undefined;
}

function refusesStrip(view: View): string | undefined {
  const { attrs, ins, outs } = view;
  const [, , kernelWidth, inChannels] = ins[1]!.shape;
  if (kernelWidth !== 3) return 'the window is not three wide';
  if (attrs.stride[1] !== 1) return 'the horizontal stride is not 1';
  if (inChannels! % 4 !== 0) return 'the number of input channels is not a multiple of 4';
  if (planeOf(outs[0]!.shape).width % 4 !== 0) return 'the width is not a multiple of 4';
  return refuses(view);
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

/** What conv2d_stack_s8 and conv2d_strip_stack_s8 have for columns. */
const STACK_BYTES = 896;

function withoutScratch(specs: readonly CallSpec[]): CallSpec[] {
  return specs.map(({ scratchBytes, ...spec }) => spec);
}

function bindColumns(view: View, pixels: number, wide: boolean): CallSpec[] {
  const { attrs, ins } = view;
  const [, kernelHeight, kernelWidth, inChannels] = ins[1]!.shape as [number, number, number, number];
  const perRow = kernelWidth * inChannels;
  // Rows of whole words are widened where they lie; others are copied together first, which also saves filling each up.
  const joined = perRow % 4 !== 0;
  const rows = joined ? 1 : kernelHeight;
  const quads = Math.ceil((kernelHeight * perRow) / rows / 4);
  const copies = joined || attrs.padding.some((pad) => pad > 0);
  const words = columnWords(rows, (kernelHeight * perRow) / rows);
  return bindConvolution(view, {
    geometry: { joined: Number(joined), quads, pixels },
    words,
    layout: `${rows} rows`,
    wide,
    // A copy may run over by the rest of a word.
    scratchBytes: pixels * quads * 8 * rows + (copies ? pixels * quads * 4 + 4 : 0),
  });
}

function bindStrip(view: View): CallSpec[] {
  const [, kernelHeight, , inChannels] = view.ins[1]!.shape as [number, number, number, number];
  return bindConvolution(view, {
    geometry: { joined: 0, quads: inChannels / 4, pixels: 4 },
    words: stripWords(kernelHeight, inChannels),
    layout: 'strip',
    wide: false,
    scratchBytes: kernelHeight * inChannels * 12 + inChannels,
  });
}

function bindConvolution(
  view: View,
  {
    geometry,
    words,
    layout,
    wide,
    scratchBytes,
  }: {
    geometry: Record<string, number>;
    words: [number, number][];
    layout: string;
    wide: boolean;
    scratchBytes: number;
  },
): CallSpec[] {
  const { attrs, ins, outs } = view;
  const fast = fastChannelsOf(view) as Channels;
  const channels = fast.bias.length;
  const relu = isRelu(zeroPointOf(outs[0]!), attrs.clamp) && attrs.clamp[1] === 127;
  // Doubling the column costs an instruction for two values, doubling sums one for each output.
  const doubled = relu && !wide && channels > words.length;
  const shared = common(view);
  const product = {
    ...fast,
    bias: foldZeroPoint(fast.bias, fast.weights, zeroPointOf(ins[0]!)),
    words,
    doubled,
    wide,
  };
  return [
    {
      ...shared,
      geometry: {
        ...shared.geometry,
        ...geometry,
        doubled: Number(doubled),
        wide: Number(wide),
        relu: Number(relu && (doubled || wide)),
      },
      data: { stream: packProduct(product, layout) },
      scratchBytes,
    },
  ];
}

function bindDirect(view: View): CallSpec[] {
  const channels = fastChannelsOf(view) as Channels;
  const words = columnWords(1, channels.weights.length / channels.bias.length);
  return [
    {
      ...common(view),
      data: { stream: packProduct({ ...channels, words, doubled: false, wide: false }, 'direct') },
    },
  ];
}
