/** Kernels for Helium. */
import type { Value } from '../../ir/types.ts';
import { biasOf, channelMultipliers, foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, KernelConstant, NodeView } from '../definition.ts';
import { packDense, paddingOf, vectorRequantizeProblem } from '../mve.ts';
import { zeroPointOf } from '../quantization.ts';
import { eachRow, planeOf, windowSlots } from '../rows.ts';

type View = NodeView<'conv2d'>;

/** The window kernel keeps a pointer for each row on the stack. */
const MOST_RUNS = 16;
/** Patches that are copied at a time, if they fit so many bytes: enough for what is done once for all of them. */
const MOST_PATCHES = 8;
const PATCHES_BYTES = 1024;

/** Tried in order; see `Kernel`. */
export const conv2dMveKernels: readonly Kernel<'conv2d'>[] = [
  {
    name: 'conv2d_1x1_mve_s8',
    isa: 'mve',
    shared: true,
    why: 'pointwise: sixteen products at a time, four channels share every pixel',
    refuses(view) {
      const { attrs, ins } = view;
      const [, kernelHeight, kernelWidth] = ins[1]!.shape;
      if (kernelHeight !== 1 || kernelWidth !== 1) return 'the window is larger than 1x1';
      if (attrs.padding.some((padding) => padding !== 0)) return 'the input is padded';
      return problemOf(view);
    },
    bind: bindPointwise,
  },
  {
    name: 'conv2d_patch_mve_s8',
    isa: 'mve',
    shared: true,
    roomy: true,
    why: 'the pixels under a few windows are copied together, then sixteen products at a time',
    refuses: windowProblem,
    bind: bindPatches,
  },
  {
    name: 'conv2d_mve_s8',
    isa: 'mve',
    shared: true,
    why: 'sixteen products at a time along each row of the window, four channels share every pixel',
    refuses(view) {
      if (view.ins[1]!.shape[1]! > MOST_RUNS) return `the window has more than ${MOST_RUNS} rows`;
      return windowProblem(view);
    },
    bind: bindWindow,
  },
];

function windowProblem(view: View): string | undefined {
  if (view.attrs.dilation[1] !== 1 && view.ins[1]!.shape[2] !== 1) return 'columns are dilated';
  return problemOf(view);
}

function problemOf({ ins, outs }: View): string | undefined {
  const [x, weights] = [ins[0]!, ins[1]!];
  if (weights.shape[3] !== x.shape[3]) return 'the convolution is grouped';
  return vectorRequantizeProblem(channelMultipliers(x, weights, outs[0]!, weights.shape[0]!));
}

function bindPointwise(view: View): CallSpec[] {
  return [
    {
      geometry: {
        in_channels: planeOf(view.ins[0]!.shape).channels,
        stride: view.attrs.stride[1],
        ...outputGeometry(view),
      },
      data: { packed: packed(view, 1) },
      ...rows(view),
    },
  ];
}

function bindWindow(view: View): CallSpec[] {
  const [, kernelHeight, kernelWidth, channels] = view.ins[1]!.shape as [number, number, number, number];
  return [
    {
      geometry: windowGeometry(view),
      data: {
        packed: packed(view, kernelHeight),
        padding: paddingOf(kernelWidth * channels, zeroPointOf(view.ins[0]!)),
      },
      ...rows(view),
    },
  ];
}

function bindPatches(view: View): CallSpec[] {
  const [, height, width, channels] = view.ins[1]!.shape as [number, number, number, number];
  const bytes = height * width * channels;
  const patches = Math.max(1, Math.min(MOST_PATCHES, Math.floor(PATCHES_BYTES / bytes)));
  return [
    {
      geometry: { ...windowGeometry(view), patches },
      data: { packed: packed(view, 1) },
      ...rows(view),
      scratchBytes: patches * bytes,
    },
  ];
}

function windowGeometry(view: View): Record<string, number> {
  const { attrs, ins } = view;
  const [x, weights] = [ins[0]!, ins[1]!];
  return {
    in_width: planeOf(x.shape).width,
    in_channels: planeOf(x.shape).channels,
    kernel_height: weights.shape[1]!,
    kernel_width: weights.shape[2]!,
    stride: attrs.stride[1],
    pad_left: attrs.padding[2],
    in_zero_point: zeroPointOf(x),
    ...outputGeometry(view),
  };
}

function outputGeometry({ attrs, outs }: View): Record<string, number> {
  const y = outs[0]!;
  return {
    out_width: planeOf(y.shape).width,
    out_channels: planeOf(y.shape).channels,
    out_zero_point: zeroPointOf(y),
    out_min: attrs.clamp[0],
    out_max: attrs.clamp[1],
  };
}

/** Weights in `runs` runs: the rows of the window, or all as one. */
function packed({ ins, outs }: View, runs: number): KernelConstant {
  const [x, weights, bias] = ins as [Value, Value, Value | null | undefined];
  const channels = weights.shape[0]!;
  const taps = weights.data as Int8Array;
  return packDense(taps, runs, taps.length / (channels * runs), {
    bias: foldZeroPoint(biasOf(bias, channels), taps, zeroPointOf(x)),
    multipliers: channelMultipliers(x, weights, outs[0]!, channels),
  });
}

function rows({ attrs, ins, outs }: View): Pick<CallSpec, 'firings' | 'slots' | 'output'> {
  const y = outs[0]!;
  return {
    firings: eachRow(y).rows.length,
    slots: windowSlots(ins[0]!, y, {
      kernelHeight: ins[1]!.shape[1]!,
      stride: attrs.stride,
      dilation: attrs.dilation,
      top: attrs.padding[0],
    }),
    output: eachRow(y),
  };
}
