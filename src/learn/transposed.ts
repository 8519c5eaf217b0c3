/** The gradient of a transposed convolution's input. */
import type { NodeOf, ValueId } from '../ir/types.ts';
import type { Gradient, GradientSteps } from './gradient-steps.ts';
import { turned } from './turned-weights.ts';

/**
 * dx[i] = sum over taps k of g[i * stride - padding + k] * w[k]: what the gradient of a convolution of stride 1 by the
 * weights turned round computes for every position, and a slice then takes one of `stride`. It computes too much by the
 * product of the strides, and needs no kernel of its own.
 */
export function throughTransposed({
  node,
  steps,
  g,
  mask,
  give,
}: {
  readonly node: NodeOf<'transpose_conv2d'>;
  readonly steps: GradientSteps;
  readonly g: Gradient;
  readonly mask: ValueId | null;
  give(operand: number, gradient: Gradient): void;
}): void {
  const { builder } = steps;
  const { origin, attrs } = node;
  const [x, weightsId] = node.ins as [ValueId, ValueId];
  const weights = builder.value(weightsId);
  const passed = steps.masked(g, mask, node.outs[0]!, origin);
  const given = steps.shapeOf(passed.value);
  const shape = steps.shapeOf(x);
  const axes = [0, 1].map((d) => {
    const [kernel, stride, output] = [weights.shape[1 + d]!, attrs.stride[d]!, given[1 + d]!];
    const size = (shape[1 + d]! - 1) * stride + 1;
    const before = kernel - 1 - attrs.padding[2 * d]!;
    // The image may end before the last window does, or behind it.
    const after = output + kernel - 1 - size - before;
    return { size, before, after, stride };
  }) as [Axis, Axis];
  const added = axes.map(({ before, after }) => [Math.max(0, -before), Math.max(0, -after)] as const);
  const padded = given.map((size, d) => size + (added[d - 1]?.[0] ?? 0) + (added[d - 1]?.[1] ?? 0));
  const border = {
    before: [0, added[0]![0], added[1]![0], 0],
    after: [0, added[0]![1], added[1]![1], 0],
    value: 0,
  };
  const isWhole = added.flat().every((size) => size === 0);
  const seen = isWhole ? passed : steps.move('pad', border, passed, padded, origin);
  const [rows, columns] = axes;
  const most = (value: number): number => Math.max(0, value);
  const window = {
    stride: [1, 1],
    dilation: [1, 1],
    padding: [most(rows.before), most(rows.after), most(columns.before), most(columns.after)],
    clamp: [-128, 127],
  } as const;
  const operands = [seen.value, seen.scale, null, turned(builder, weights), null, null];
  const every = [1, rows.size, columns.size, shape[3]!];
  const whole = steps.make('quantized_conv2d_input_gradient', window, operands, x, origin, every);
  const strides = [1, rows.stride, columns.stride, 1];
  const isEvery = rows.size === shape[1] && columns.size === shape[2];
  give(0, isEvery ? whole : steps.move('slice', { begin: [0, 0, 0, 0], strides }, whole, shape, origin));
}

interface Axis {
  readonly size: number;
  readonly before: number;
  readonly after: number;
  readonly stride: number;
}
