import type { Value } from '../../ir/types.ts';
import { convolutionData, foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { zeroPointOf } from '../quantization.ts';
import { eachRow, planeOf, windowSlots } from '../rows.ts';
import { dspKernels } from './dsp.ts';
import { conv2dMveKernels } from './mve.ts';
import { scalarKernels } from './scalar.ts';
import { conv2dSimdKernels } from './simd.ts';

/** Tried in order; see `Kernel`. */
export const conv2dKernels: readonly Kernel<'conv2d'>[] = [
  ...conv2dMveKernels,
  ...conv2dSimdKernels,
  ...dspKernels,
  ...scalarKernels,
  {
    name: 'conv2d_1x1_s8',
    isa: 'portable',
    why: 'pointwise: two pixels by two channels share every load',
    refuses: ({ attrs, ins }) => {
      const [, kernelHeight, kernelWidth] = ins[1]!.shape;
      if (kernelHeight !== 1 || kernelWidth !== 1) return 'the window is larger than 1x1';
      if (ins[1]!.shape[3] !== ins[0]!.shape[3]) return 'the convolution is grouped';
      if (attrs.stride[1] !== 1) return 'the horizontal stride is not 1';
      if (attrs.padding[2] !== 0 || attrs.padding[3] !== 0) return 'columns are padded';
      if (attrs.padding[0] !== 0 || attrs.padding[1] !== 0) return 'rows are padded';
      return undefined;
    },
    bind: bindPointwise,
  },
  {
    name: 'conv2d_s8',
    isa: 'portable',
    why: 'any window, stride, dilation, padding and number of groups',
    refuses: () => undefined,
    bind: bindGeneral,
  },
];

function bindGeneral(view: NodeView<'conv2d'>): CallSpec[] {
  const { attrs } = view;
  const [x, weights, bias] = view.ins as [Value, Value, Value | null | undefined];
  const y = view.outs[0]!;
  const [outChannels, kernelHeight, kernelWidth, groupChannels] = weights.shape as [
    number,
    number,
    number,
    number,
  ];
  return [
    {
      geometry: {
        in_width: planeOf(x.shape).width,
        in_channels: planeOf(x.shape).channels,
        out_width: planeOf(y.shape).width,
        out_channels: outChannels,
        group_in_channels: groupChannels,
        group_out_channels: outChannels / (x.shape[3]! / groupChannels),
        kernel_height: kernelHeight,
        kernel_width: kernelWidth,
        stride: attrs.stride[1],
        dilation: attrs.dilation[1],
        pad_left: attrs.padding[2],
        in_zero_point: zeroPointOf(x),
        out_zero_point: zeroPointOf(y),
        out_min: attrs.clamp[0],
        out_max: attrs.clamp[1],
      },
      data: convolutionData(x, weights, bias, y, outChannels),
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

function bindPointwise(view: NodeView<'conv2d'>): CallSpec[] {
  const { attrs } = view;
  const [x, weights, bias] = view.ins as [Value, Value, Value | null | undefined];
  const y = view.outs[0]!;
  const [outChannels, , , inChannels] = weights.shape as [number, number, number, number];
  const data = convolutionData(x, weights, bias, y, outChannels);
  return [
    {
      geometry: {
        width: planeOf(y.shape).width,
        in_channels: inChannels,
        out_channels: outChannels,
        out_zero_point: zeroPointOf(y),
        out_min: attrs.clamp[0],
        out_max: attrs.clamp[1],
      },
      data: {
        ...data,
        bias: {
          role: 'weights',
          data: foldZeroPoint(data.bias.data as Int32Array, weights.data as Int8Array, zeroPointOf(x)),
        },
      },
      firings: eachRow(y).rows.length,
      slots: windowSlots(x, y, { kernelHeight: 1, stride: attrs.stride, dilation: attrs.dilation, top: 0 }),
      output: eachRow(y),
    },
  ];
}
