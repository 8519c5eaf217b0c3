/** Convolutions on cores with the DSP extension: two channels by up to four pixels at a time. */
import type { Value } from '../../ir/types.ts';
import { type CompactRecords, compactRecords } from '../compact-channels.ts';
import { foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import {
  columnQuads,
  packCompact,
  packDirect,
  packTiles,
  type Quad,
  stripQuads,
  tileProblem,
} from '../dsp-product.ts';
import { type Channels, isRelu } from '../fast-requantize.ts';
import { zeroPointOf } from '../quantization.ts';
import { eachRow, planeOf, windowSlots } from '../rows.ts';
import { fastChannelsOf } from './channels.ts';

type View = NodeView<'conv2d'>;

/** How a kernel lays out the inputs that all channels share. */
interface Layout {
  readonly name: string;
  readonly geometry: Readonly<Record<'joined' | 'quads' | 'pixels', number>>;
  readonly quads: readonly Quad[];
  /** Bytes for the inputs of some pixels. */
  readonly bytes: number;
}

/** What the kernels conv2d_stack_s8 and conv2d_strip_stack_s8 have for a layout. */
const STACK_BYTES = 896;

/** Best first: the more pixels share what is widened, the fewer loads; memory in the arena before the stack. */
export const dspKernels: readonly Kernel<'conv2d'>[] = [
  {
    name: 'conv2d_compact_s8',
    isa: 'dsp',
    why: 'seven bytes a channel beside its weights, and one function for all convolutions',
    small: true,
    shared: true,
    refuses: compactProblem,
    bind: bindCompact,
  },
  ...tiles('conv2d_strip', 'four pixels by two channels, from a strip of columns that windows share', strip),
  ...tiles('conv2d', 'four pixels by two channels, from a column for each pixel', (view) => columns(view, 4)),
  ...tiles('conv2d', 'two pixels by two channels, from a column for each pixel', (view) => columns(view, 2)),
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

/** The kernel of a layout with scratch in the arena, and that on the stack. */
function tiles(prefix: string, why: string, layout: (view: View) => Layout | string): Kernel<'conv2d'>[] {
  const problem = (view: View): string | undefined => {
    const reason = refuses(view);
    if (reason !== undefined) return reason;
    const found = layout(view);
    if (typeof found === 'string') return found;
    if (found.quads.length < 2) return 'there are fewer than eight taps';
    return tileProblem(fastChannelsOf(view) as Channels, found.quads);
  };
  const bytesOf = (view: View): number => (layout(view) as Layout).bytes;
  return [
    {
      name: prefix === 'conv2d' ? 'conv2d_columns_s8' : `${prefix}_s8`,
      isa: 'dsp',
      why,
      roomy: true,
      shared: true,
      refuses: problem,
      bind: (view) => [{ ...bindTiles(view, layout(view) as Layout), scratchBytes: bytesOf(view) }],
    },
    {
      name: `${prefix}_stack_s8`,
      isa: 'dsp',
      why: `${why}, on the stack`,
      shared: true,
      refuses: (view) =>
        problem(view) ??
        (bytesOf(view) > STACK_BYTES ? `${bytesOf(view)} bytes are too many for the stack` : undefined),
      bind: (view) => [bindTiles(view, layout(view) as Layout)],
    },
  ];
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

function columns({ attrs, ins }: View, pixels: number): Layout {
  const [, kernelHeight, kernelWidth, inChannels] = ins[1]!.shape as [number, number, number, number];
  const perRow = kernelWidth * inChannels;
  // Rows of whole words are widened where they lie; others are copied together first, which also saves filling each up.
  const joined = perRow % 4 !== 0;
  const rows = joined ? 1 : kernelHeight;
  const quads = Math.ceil((kernelHeight * perRow) / rows / 4);
  const copies = joined || attrs.padding.some((pad) => pad > 0);
  return {
    name: `${rows} rows`,
    geometry: { joined: Number(joined), quads, pixels },
    quads: columnQuads(rows, (kernelHeight * perRow) / rows),
    // A copy may run over by the rest of a word.
    bytes: pixels * quads * 8 * rows + (copies ? pixels * quads * 4 + 4 : 0),
  };
}

function strip({ attrs, ins, outs }: View): Layout | string {
  const [, kernelHeight, kernelWidth, inChannels] = ins[1]!.shape as [number, number, number, number];
  if (kernelWidth !== 3) return 'the window is not three wide';
  if (attrs.stride[1] !== 1) return 'the horizontal stride is not 1';
  if (inChannels % 4 !== 0) return 'the number of input channels is not a multiple of 4';
  if (planeOf(outs[0]!.shape).width % 4 !== 0) return 'the width is not a multiple of 4';
  return {
    name: 'strip',
    geometry: { joined: 0, quads: inChannels / 4, pixels: 4 },
    quads: stripQuads(kernelHeight, inChannels),
    bytes: kernelHeight * inChannels * 12 + inChannels,
  };
}

function bindTiles(view: View, { name, geometry, quads }: Layout): CallSpec {
  const { attrs, ins, outs } = view;
  const fast = fastChannelsOf(view) as Channels;
  const folded = { ...fast, bias: foldZeroPoint(fast.bias, fast.weights, zeroPointOf(ins[0]!)) };
  const shared = common(view);
  return {
    ...shared,
    geometry: {
      ...shared.geometry,
      ...geometry,
      relu: Number(isRelu(zeroPointOf(outs[0]!), attrs.clamp)),
    },
    data: { stream: packTiles(folded, quads, name) },
  };
}

function bindDirect(view: View): CallSpec[] {
  return [{ ...common(view), data: { stream: packDirect(fastChannelsOf(view) as Channels) } }];
}

/** Most bytes of windows that conv2d_compact_s8 copies to the stack. */
const COPY_BYTES = 1024;

/** Taps of a channel in fours, whether windows are copied together, and of how many pixels at a time. */
function compactLayout({ attrs, ins, outs }: View): Record<'quads' | 'copies' | 'pixels', number> {
  const [, kernelHeight, kernelWidth, inChannels] = ins[1]!.shape as [number, number, number, number];
  const taps = kernelHeight * kernelWidth * inChannels;
  const isRow = kernelHeight === 1 && taps % 4 === 0 && attrs.padding.every((pad) => pad === 0);
  const quads = Math.ceil(taps / 4);
  const { width } = planeOf(outs[0]!.shape);
  return {
    quads,
    copies: Number(!isRow),
    pixels: isRow ? width : Math.min(width, Math.floor(COPY_BYTES / (4 * quads))),
  };
}

function compactProblem(view: View): string | undefined {
  const reason = refuses(view);
  if (reason !== undefined) return reason;
  if (compactLayout(view).pixels === 0) return 'a window is too large for the stack';
  const records = compactRecordsOf(view);
  return typeof records === 'string' ? records : undefined;
}

function compactRecordsOf(view: View): CompactRecords | string {
  const fast = fastChannelsOf(view) as Channels;
  return compactRecords(fast, zeroPointOf(view.ins[0]!), zeroPointOf(view.outs[0]!), view.attrs.clamp);
}

function bindCompact(view: View): CallSpec[] {
  const shared = common(view);
  const { records, geometry } = compactRecordsOf(view) as CompactRecords;
  return [
    {
      ...shared,
      geometry: { ...shared.geometry, ...compactLayout(view), ...geometry },
      data: {
        stream: packCompact(fastChannelsOf(view) as Channels),
        records,
      },
    },
  ];
}

/** Geometry fields that all kernels have, and the rows. */
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
