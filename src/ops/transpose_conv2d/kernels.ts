import type { WindowAttributes } from '../../ir/attributes.ts';
import type { Value } from '../../ir/types.ts';
import { convolutionData } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView, SlotSpec } from '../definition.ts';
import { zeroPointOf } from '../quantization.ts';
import { eachRow, planeOf, rowsBy } from '../rows.ts';

/** Tried in order; see `Kernel`. */
export const transposeConv2dKernels: readonly Kernel<'transpose_conv2d'>[] = [
  {
    name: 'transpose_conv2d_s8',
    isa: 'portable',
    why: 'gathers every output row from the input rows that reach it',
    refuses: () => undefined,
    bind: bindGeneral,
  },
];

function bindGeneral(view: NodeView<'transpose_conv2d'>): CallSpec[] {
  const { attrs } = view;
  const [x, weights, bias] = view.ins as [Value, Value, Value | null | undefined];
  const y = view.outs[0]!;
  const [outChannels, kernelHeight, kernelWidth, inChannels] = weights.shape as [
    number,
    number,
    number,
    number,
  ];
  return [
    {
      geometry: {
        in_width: planeOf(x.shape).width,
        in_channels: inChannels,
        out_width: planeOf(y.shape).width,
        out_channels: outChannels,
        kernel_height: kernelHeight,
        kernel_width: kernelWidth,
        stride: attrs.stride[1],
        pad_left: attrs.padding[2],
        in_zero_point: zeroPointOf(x),
        out_zero_point: zeroPointOf(y),
        out_min: attrs.clamp[0],
        out_max: attrs.clamp[1],
      },
      data: convolutionData(x, weights, bias, y, outChannels),
      firings: eachRow(y).rows.length,
      slots: gatherSlots(x, y, kernelHeight, attrs),
      output: eachRow(y),
    },
  ];
}

/** One slot per kernel row k: output row y reads input row (y + top - k) / stride, NULL where there is none. */
function gatherSlots(x: Value, y: Value, kernelHeight: number, attrs: WindowAttributes): SlotSpec[] {
  const inHeight = planeOf(x.shape).height;
  const outPlane = planeOf(y.shape);
  return Array.from({ length: kernelHeight }, (_, k) => ({
    operand: 0,
    ...rowsBy(x, outPlane.batch * outPlane.height, (firing) => {
      const image = Math.floor(firing / outPlane.height);
      const row = ((firing % outPlane.height) + attrs.padding[0] - k) / attrs.stride[0];
      return Number.isInteger(row) && row >= 0 && row < inHeight ? image * inHeight + row : -1;
    }),
  }));
}
