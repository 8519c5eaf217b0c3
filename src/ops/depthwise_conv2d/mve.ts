/** Kernels for Helium. */
import type { Value } from '../../ir/types.ts';
import { biasOf, channelMultipliers } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { packDepthwise, paddingOf, VECTOR_BYTES, vectorRequantizeProblem } from '../mve.ts';
import { zeroPointOf } from '../quantization.ts';
import { eachRow, planeOf, windowSlots } from '../rows.ts';

/** The kernel keeps a pointer for each on the stack. */
const MOST_TAPS = 49;

type View = NodeView<'depthwise_conv2d'>;

/** Tried in order; see `Kernel`. */
export const depthwiseConv2dMveKernels: readonly Kernel<'depthwise_conv2d'>[] = [
  {
    name: 'depthwise_conv2d_mve_s8',
    isa: 'mve',
    shared: true,
    why: 'sixteen channels at a time, straight from the rows',
    refuses({ ins, outs }) {
      const [x, weights] = [ins[0]!, ins[1]!];
      if (planeOf(x.shape).channels !== weights.shape[3]) return 'channels have several outputs';
      if (weights.shape[1]! * weights.shape[2]! > MOST_TAPS)
        return `the window has more than ${MOST_TAPS} taps`;
      if ((weights.data as Int8Array).includes(-128)) return 'a weight is -128';
      return vectorRequantizeProblem(channelMultipliers(x, weights, outs[0]!, weights.shape[3]!));
    },
    bind,
  },
];

function bind({ attrs, ins, outs }: View): CallSpec[] {
  const [x, weights, bias] = ins as [Value, Value, Value | null | undefined];
  const y = outs[0]!;
  const [, kernelHeight, kernelWidth, channels] = weights.shape as [number, number, number, number];
  const taps = weights.data as Int8Array;
  const pixels = attrs.stride[1] === 1 ? Math.max(1, Math.floor(VECTOR_BYTES / channels)) : 1;
  const folded = foldZeroPointOfColumns(biasOf(bias, channels), taps, zeroPointOf(x));
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
        pixels,
        out_zero_point: zeroPointOf(y),
        out_min: attrs.clamp[0],
        out_max: attrs.clamp[1],
      },
      data: {
        packed: packDepthwise(Int8Array.from(repeated(taps, channels, pixels)), {
          bias: Int32Array.from(repeated(folded, channels, pixels)),
          multipliers: repeated(channelMultipliers(x, weights, y, channels), channels, pixels),
        }),
        padding: paddingOf(channels, zeroPointOf(x)),
      },
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
}

/** Each `channels` elements `times` times one after the other. */
function repeated(rows: ArrayLike<number>, channels: number, times: number): number[] {
  const period = times * channels;
  return Array.from(
    { length: rows.length * times },
    (_, i) => rows[Math.floor(i / period) * channels + (i % channels)]!,
  );
}

/** bias[c] - Z_in * sum of w[.., c], weights [taps][channels]. */
function foldZeroPointOfColumns(bias: Int32Array, weights: Int8Array, zeroPoint: number): Int32Array {
  const folded = Int32Array.from(bias);
  for (let i = 0; i < weights.length; ++i) {
    const c = i % folded.length;
    folded[c] = folded[c]! - zeroPoint * weights[i]!;
  }
  return folded;
}
