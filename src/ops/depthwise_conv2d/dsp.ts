/** Kernels for the Armv7E-M DSP extension: square windows of 3, 5 and 7 with stride 1 or 2. */
import { fail } from '../../core/diagnostics.ts';
import type { Value } from '../../ir/types.ts';
import { type CompactRecords, compactRecords } from '../compact-channels.ts';
import { convolutionData, foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { type Channels, fastChannels, isRelu } from '../fast-requantize.ts';
import { zeroPointOf } from '../quantization.ts';
import { planeOf } from '../rows.ts';
import { channelsFirst, columnsUnder, planeWidth as portablePlaneWidth, rows } from './layout.ts';

type View = NodeView<'depthwise_conv2d'>;

/** Sizes of the windows, tried in this order. */
export const SIZES = [3, 5, 7] as const;
export type Size = (typeof SIZES)[number];

/** Most bytes of planes on the stack. */
export const STACK_BYTES = 1024;

/**
 * Where planes lie, best first: four need less than half the time of one after the other. Those on the stack take no
 * scratch, so the arena is never larger than with the portable kernels.
 */
const PLACES = [
  { planes: 4, roomy: true, where: 'the planes of four channels' },
  { planes: 4, roomy: false, where: 'the planes of four channels on the stack' },
  { planes: 1, roomy: false, where: 'one plane after the other on the stack' },
] as const;

/** Outputs of a row that a kernel without planes has registers for. */
const NARROW = 6;

const narrowKernel: Kernel<'depthwise_conv2d'> = {
  name: 'depthwise_conv2d_3x3_narrow_dsp_s8',
  isa: 'dsp',
  why: 'rows are so short that pixels are read where they lie',
  refuses: (view) =>
    windowProblem(view, 3) ??
    (planeOf(view.outs[0]!.shape).width <= NARROW ? undefined : 'rows are longer than six pixels'),
  bind: (view) => {
    const { pad_left, in_columns, channels, out_width, stride, out_zero_point, out_min, out_max, is_relu } =
      windowGeometry(view, 1);
    return [
      {
        geometry: {
          ...{ channels, pad_left, end_column: in_columns, out_width, stride },
          ...{ out_zero_point, out_min, out_max, is_relu, in_zero_point: zeroPointOf(view.ins[0]!) },
        },
        data: { records: { role: 'weights', data: records(view, false) } },
        ...rows(view),
      },
    ];
  },
};

const planeKernels: readonly Kernel<'depthwise_conv2d'>[] = SIZES.flatMap((size) =>
  PLACES.map(({ planes, roomy, where }): Kernel<'depthwise_conv2d'> => {
    const fits = (view: View): boolean => roomy || planeBytes(view, planes) <= STACK_BYTES;
    return {
      name: `depthwise_conv2d_${size}x${size}_dsp_s8`,
      isa: 'dsp',
      why: `windows slide over ${where}, two taps an instruction`,
      roomy,
      shared: true,
      refuses: (view) =>
        windowProblem(view, size) ??
        (fits(view) ? undefined : `planes of ${planes} channels are too large for the stack`),
      bind: (view) => [{ ...bind(view, planes), scratchBytes: roomy ? planeBytes(view, planes) : 0 }],
    };
  }),
);

/** Any window, with dilation 1. */
const compactKernel: Kernel<'depthwise_conv2d'> = {
  name: 'depthwise_conv2d_compact_s8',
  isa: 'dsp',
  why: 'seven bytes a channel beside its weights, and one function for all windows',
  small: true,
  shared: true,
  refuses: (view) => {
    const [, kernelHeight, kernelWidth] = view.ins[1]!.shape;
    if (kernelHeight !== kernelWidth) return 'the window is not square';
    const reason = windowProblem(view, kernelHeight!);
    if (reason !== undefined) return reason;
    if (kernelHeight! * portablePlaneWidth(view) > STACK_BYTES) return 'a plane is too large for the stack';
    if (portablePlaneWidth(view) <= view.attrs.padding[2]) return 'all windows lie in padding';
    const records = compactRecordsOf(view);
    return typeof records === 'string' ? records : undefined;
  },
  bind: (view) => {
    const { channels, pad_left, out_width, stride, out_zero_point, out_min, out_max } = windowGeometry(
      view,
      1,
    );
    const { records, geometry } = compactRecordsOf(view) as CompactRecords;
    const plane_width = portablePlaneWidth(view);
    const in_columns = Math.min(planeOf(view.ins[0]!.shape).width, plane_width - pad_left);
    return [
      {
        geometry: {
          ...geometry,
          ...{ channels, pad_left, out_width, stride, out_zero_point, out_min, out_max },
          ...{
            kernel_width: view.ins[1]!.shape[2]!,
            plane_width,
            in_columns,
            in_zero_point: zeroPointOf(view.ins[0]!),
          },
        },
        data: {
          weights: { role: 'weights', data: (channelsOf(view) as Channels).weights },
          records,
        },
        ...rows(view),
      },
    ];
  },
};

function compactRecordsOf(view: View): CompactRecords | string {
  const fast = channelsOf(view) as Channels;
  // Padding holds the zero point, which is folded into the bias: a kernel multiplies raw values.
  const bias = foldZeroPoint(fast.bias, fast.weights, zeroPointOf(view.ins[0]!));
  return compactRecords({ ...fast, bias }, 0, zeroPointOf(view.outs[0]!), view.attrs.clamp);
}

export const depthwiseDspKernels: readonly Kernel<'depthwise_conv2d'>[] = [
  compactKernel,
  narrowKernel,
  ...planeKernels,
];

/** Why windows of `size` cannot slide over planes, wherever these come from, or undefined. */
export function windowProblem({ attrs, ins, outs }: View, size: number): string | undefined {
  const [x, weights] = ins as [Value, Value];
  const [, kernelHeight, kernelWidth, channels] = weights.shape as [number, number, number, number];
  if (kernelHeight !== size || kernelWidth !== size) return `the window is ${kernelHeight}x${kernelWidth}`;
  if (attrs.dilation[0] !== 1 || attrs.dilation[1] !== 1) return 'the window is dilated';
  if (attrs.stride[1] > 2) return `stride ${attrs.stride[1]}`;
  if (channels !== planeOf(x.shape).channels) return 'a channel becomes several';
  const fast = channelsOf({ attrs, ins, outs });
  if (typeof fast === 'string') return fast;
  // (2 zero point + 1) * 2^e is an intermediate result.
  const largest = Math.max(...fast.shift.map((shift) => -shift));
  return Math.abs(2 * zeroPointOf(outs[0]!) + 1) * 2 ** largest >= 2 ** 31
    ? `a shift of ${-largest} is too large for the output's zero point`
    : undefined;
}

/** The channels, weights [channels][size][size], as the fast requantisation takes them, or why it does not. */
function channelsOf({ attrs, ins, outs }: View): Channels | string {
  const [x, weights, bias] = ins as [Value, Value, Value | null | undefined];
  const y = outs[0]!;
  const data = convolutionData(x, weights, bias, y, weights.shape[3]!);
  const channels = {
    weights: channelsFirst(weights),
    bias: data.bias.data as Int32Array,
    multiplier: data.multiplier.data as Int32Array,
    shift: data.shift.data as Int8Array,
  };
  // Without a shift nothing is rounded a second time, and only a ReLU does without the sign of that.
  const leastShift = isRelu(zeroPointOf(y), attrs.clamp) ? 0 : 1;
  return fastChannels(channels, zeroPointOf(x), zeroPointOf(y), attrs.clamp, leastShift);
}

function bind(view: View, planes: 1 | 4): CallSpec {
  return {
    geometry: { ...windowGeometry(view, planes), planes, in_zero_point: zeroPointOf(view.ins[0]!) },
    data: { records: { role: 'weights', data: records(view) } },
    ...rows(view),
  };
}

/** Geometry of windows over planes, of which some lie side by side. */
export function windowGeometry(view: View, planes: number) {
  const { attrs, ins, outs } = view;
  const [x, y] = [ins[0]!, outs[0]!];
  const { width: outWidth, channels } = planeOf(y.shape);
  const columns = columnsUnder(view, outWidth) - attrs.padding[2];
  return {
    channels,
    in_columns: Math.max(0, Math.min(planeOf(x.shape).width, columns)),
    pad_left: attrs.padding[2],
    plane_width: planeWidth(view, planes),
    out_width: outWidth,
    stride: attrs.stride[1],
    out_zero_point: zeroPointOf(y),
    out_min: attrs.clamp[0],
    out_max: attrs.clamp[1],
    is_relu: isRelu(zeroPointOf(y), attrs.clamp) ? 1 : 0,
  };
}

/** Bytes from row to row: of several planes whole words, so that no more than every second word crosses a border. */
function planeWidth(view: View, planes: number): number {
  const columns = columnsUnder(view, planeOf(view.outs[0]!.shape).width);
  return planes === 1 ? columns : Math.ceil(columns / 4) * 4;
}

/** Bytes of the planes and the one behind them that the last word may take in. */
export function planeBytes(view: View, planes: number): number {
  return planes * view.ins[1]!.shape[1]! * planeWidth(view, planes) + 1;
}

/**
 * A record of bytes for each channel: runtime/rivulet_dsp_slide.h says what is in it.
 * @param inPairs 3x3 only: taps in pairs, as windows that slide want them
 */
export function records(view: View, inPairs = true): Int8Array {
  const fast = channelsOf(view);
  if (typeof fast === 'string') return fail('RV9003', fast);
  const folded = foldZeroPoint(fast.bias, fast.weights, zeroPointOf(view.ins[0]!));
  const channels = folded.length;
  const taps = fast.weights.length / channels;
  const bytes = new Int8Array(channels * (9 + taps));
  const fields = new DataView(bytes.buffer);
  for (let c = 0; c < channels; ++c) {
    const start = c * (9 + taps);
    const w = fast.weights.subarray(c * taps, (c + 1) * taps);
    const e = -fast.shift[c]!;
    const paired = taps === 9 && inPairs;
    fields.setInt32(start, paired ? 2 * folded[c]! : folded[c]!, true);
    fields.setInt32(start + 4, fast.multiplier[c]!, true);
    bytes.set(paired ? [...PAIRS_3X3.map((i) => w[i]!), e, w[7]!] : [e, ...w], start + 8);
  }
  return bytes;
}

/** All taps of a 3x3 window but the last middle one: even and odd bytes of a word are the pairs that multiply together. */
const PAIRS_3X3 = [0, 3, 2, 5, 6, 1, 8, 4] as const;
