/** What the kernels of depthwise_conv2d have in common: rows, planes, the order of weights. */
import type { Value } from '../../ir/types.ts';
import type { CallSpec, NodeView } from '../definition.ts';
import { eachRow, planeOf, windowSlots } from '../rows.ts';

type View = NodeView<'depthwise_conv2d'>;

/** Firings, and the input row under each row of the window. */
export function rows({ attrs, ins, outs }: View): Pick<CallSpec, 'firings' | 'slots' | 'output'> {
  const [x, y] = [ins[0]!, outs[0]!];
  return {
    firings: eachRow(y).rows.length,
    slots: windowSlots(x, y, {
      kernelHeight: ins[1]!.shape[1]!,
      stride: attrs.stride,
      dilation: attrs.dilation,
      top: attrs.padding[0],
    }),
    output: eachRow(y),
  };
}

/** Columns under the windows of `outputs` outputs of a row. */
export function columnsUnder({ attrs, ins }: View, outputs: number): number {
  return (outputs - 1) * attrs.stride[1] + (ins[1]!.shape[2]! - 1) * attrs.dilation[1] + 1;
}

/** Columns of a plane for the portable kernel: those under the windows of all outputs, these rounded up to whole fours. */
export function planeWidth(view: View): number {
  return columnsUnder(view, Math.ceil(planeOf(view.outs[0]!.shape).width / 4) * 4);
}

/** Why a plane would be a waste of memory, or undefined. */
export function planeProblem(view: View): string | undefined {
  const { width } = planeOf(view.ins[0]!.shape);
  return planeWidth(view) > 2 * width ? 'most columns are padding' : undefined;
}

/** Weights [1, kh, kw, channels] as [channels, kh, kw]. */
export function channelsFirst(weights: Value): Int8Array {
  const channels = weights.shape[3]!;
  const w = weights.data as Int8Array;
  const taps = w.length / channels;
  return w.map((_, i) => w[(i % taps) * channels + Math.floor(i / taps)]!);
}
