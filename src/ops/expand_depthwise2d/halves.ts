import type { TensorType, Value } from '../../ir/types.ts';
import type { NodeView, SlotSpec } from '../definition.ts';
import { planeOf, windowSlots } from '../rows.ts';

type View = NodeView<'expand_depthwise2d'>;

/** The expanded tensor [N, H, W, channels] that the depthwise convolution reads. */
export function expandedType(
  attrs: View['attrs'],
  x: TensorType,
  channels: number,
): TensorType & { readonly dtype: 'int8' } {
  return {
    shape: [...x.shape.slice(0, -1), channels],
    dtype: 'int8',
    quantization: { scales: [attrs.expandedScale], zeroPoints: [attrs.expandedZeroPoint], axis: 0 },
  };
}

export function expandAttributes({ expandClamp }: View['attrs']): NodeView<'conv2d'>['attrs'] {
  return { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0], clamp: expandClamp };
}

/** The two operators that the node stands for; input and expansion weights must be there. */
export function halvesOf({ attrs, ins, outs }: View): {
  readonly expand: NodeView<'conv2d'>;
  readonly depthwise: NodeView<'depthwise_conv2d'>;
} {
  const [x, expandWeights, expandBias = null, weights = null, bias = null] = ins;
  const type = expandedType(attrs, x!, expandWeights!.shape[0]!);
  const expanded: Value = { ...type, id: -1, name: 'expanded', role: 'activation' };
  return {
    expand: { attrs: expandAttributes(attrs), ins: [x!, expandWeights!, expandBias], outs: [expanded] },
    depthwise: { attrs, ins: [expanded, weights, bias], outs },
  };
}

/** Expanded rows that one window leaves for the next. */
export function carriedRowsOf({ attrs, ins }: View): number {
  return attrs.carries ? ins[3]!.shape[1]! - attrs.stride[0] : 0;
}

/** The input rows that each firing expands, by row of the window. */
export function expandedRows(view: View): SlotSpec[] {
  const [x, y] = [view.ins[0]!, view.outs[0]!];
  const { height } = planeOf(y.shape);
  const isCarried = (k: number, firing: number): boolean => k < carriedRowsOf(view) && firing % height > 0;
  return windowSlots(x, y, {
    kernelHeight: view.ins[3]!.shape[1]!,
    stride: view.attrs.stride,
    dilation: view.attrs.dilation,
    top: view.attrs.padding[0],
  }).map((slot, k) => ({ ...slot, rows: slot.rows.map((r, firing) => (isCarried(k, firing) ? -1 : r)) }));
}
