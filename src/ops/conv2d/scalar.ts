/** Convolutions on cores without SIMD instructions: two channels by four pixels share what is loaded. */
import type { Value } from '../../ir/types.ts';
import { foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import type { Channels } from '../fast-requantize.ts';
import { zeroPointOf } from '../quantization.ts';
import { eachRow, planeOf, windowSlots } from '../rows.ts';
import { largestPartialSum, packScalarProduct, scalarTerms } from '../scalar-product.ts';
import { fastChannelsOf } from './channels.ts';

type View = NodeView<'conv2d'>;

/** The column on the stack; as in conv2d_scalar_stack_s8.c. */
const STACK_BYTES = 896;

/** Tried in order; the stack first, because it takes nothing from the arena. */
export const scalarKernels: readonly Kernel<'conv2d'>[] = [
  {
    name: 'conv2d_scalar_stack_s8',
    isa: 'scalar',
    why: 'two channels by four pixels at a time, from a column on the stack',
    shared: true,
    refuses: (view) =>
      refuses(view) ??
      (columnBytes(view) > STACK_BYTES ? 'the column is too large for the stack' : undefined),
    bind: (view) => [bind(view)],
  },
  {
    name: 'conv2d_scalar_columns_s8',
    isa: 'scalar',
    why: 'two channels by four pixels at a time, from a column of gathered values',
    roomy: true,
    shared: true,
    refuses,
    bind: (view) => [{ ...bind(view), scratchBytes: columnBytes(view) }],
  },
];

function refuses(view: View): string | undefined {
  const [x, weights] = view.ins as [Value, Value];
  if (weights.shape[3] !== x.shape[3]) return 'the convolution is grouped';
  if (view.attrs.dilation[1] !== 1) return 'the window is dilated';
  const fast = fastChannelsOf(view);
  if (typeof fast === 'string') return fast;
  const reach = largestPartialSum(fast, zeroPointOf(x));
  return reach < 2 ** 31 ? undefined : `partial sums reach ${reach}`;
}

/** Bytes of the values under four pixels. */
function columnBytes({ ins }: View): number {
  return 4 * scalarTerms(ins[1]!.data!.length / ins[1]!.shape[0]!);
}

function bind(view: View): CallSpec {
  const { attrs, ins, outs } = view;
  const [x, weights] = ins as [Value, Value];
  const y = outs[0]!;
  const [out_channels, kernel_height, kernel_width] = weights.shape as [number, number, number];
  const channels = fastChannelsOf(view) as Channels;
  return {
    geometry: {
      in_width: planeOf(x.shape).width,
      in_channels: planeOf(x.shape).channels,
      out_width: planeOf(y.shape).width,
      out_channels,
      kernel_height,
      kernel_width,
      stride: attrs.stride[1],
      pad_left: attrs.padding[2],
      in_zero_point: zeroPointOf(x),
      out_zero_point: zeroPointOf(y),
      out_min: attrs.clamp[0],
      out_max: attrs.clamp[1],
    },
    data: {
      ...packScalarProduct({
        ...channels,
        // A column holds x + 128.
        bias: foldZeroPoint(channels.bias, channels.weights, zeroPointOf(x) + 128),
      }),
    },
    firings: eachRow(y).rows.length,
    slots: windowSlots(x, y, {
      kernelHeight: kernel_height,
      stride: attrs.stride,
      dilation: attrs.dilation,
      top: attrs.padding[0],
    }),
    output: eachRow(y),
  };
}
