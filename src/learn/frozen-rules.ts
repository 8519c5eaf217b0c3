/**
 * How a gradient in integers passes an operator that is not trained. Operators that move elements send it back by the
 * operator that moves them back, with the same scale; the others by an operator that sums and rounds.
 */
import type { OpName } from '../ir/attributes.ts';
import { elementCount, type Node, type NodeOf, type Shape, type Value, type ValueId } from '../ir/types.ts';
import { scaleOf, zeroPointOf } from '../ops/quantization.ts';
import { sameShape } from '../ops/strided.ts';
import { derivativeTable, stepTable } from './derivatives.ts';
import { type Gradient, type GradientSteps, imageOf, ONE_PIXEL } from './gradient-steps.ts';
import { spread } from './spread.ts';
import { throughTransposed } from './transposed.ts';
import { ungrouped } from './turned-weights.ts';

/** One node on the way back. */
export interface Passing<K extends OpName = OpName> {
  readonly node: NodeOf<K>;
  readonly steps: GradientSteps;
  /** The gradient of its result, and where the node's own clamp lets it through. */
  readonly g: Gradient;
  readonly mask: ValueId | null;
  /** Operands whose gradient is wanted. */
  readonly wanted: readonly number[];
  give(operand: number, gradient: Gradient): void;
}

type Rules = { readonly [K in OpName]?: (passing: Passing<K>) => void };

const RULES: Rules = {
  add: (passing) => throughSum(passing, [1, 1]),
  sub: (passing) => throughSum(passing, [1, -1]),
  mul: throughProduct,
  maximum: (passing) => throughExtremum(passing, 1),
  minimum: (passing) => throughExtremum(passing, -1),
  prelu: throughPrelu,
  reshape: ({ node, steps, g, give }) => give(0, steps.asShape(g, steps.shapeOf(node.ins[0]!), node.origin)),
  transpose({ node, steps, g, give }) {
    const { permutation } = node.attrs;
    const inverse = permutation.map((_, d) => permutation.indexOf(d));
    give(0, steps.move('transpose', { permutation: inverse }, g, steps.shapeOf(node.ins[0]!), node.origin));
  },
  pad({ node, steps, g, give }) {
    const shape = steps.shapeOf(node.ins[0]!);
    const attrs = { begin: node.attrs.before, strides: shape.map(() => 1) };
    give(0, steps.move('slice', attrs, g, shape, node.origin));
  },
  concat({ node, steps, g, wanted, give }) {
    let start = 0;
    node.ins.forEach((id, operand) => {
      const shape = steps.shapeOf(id!);
      const begin = shape.map((_, d) => (d === node.attrs.axis ? start : 0));
      start += shape[node.attrs.axis]!;
      if (!wanted.includes(operand)) return;
      give(operand, steps.move('slice', { begin, strides: shape.map(() => 1) }, g, shape, node.origin));
    });
  },
  slice: throughSlice,
  mean: throughMean,
  average_pool2d({ node, steps, g, mask, give }) {
    const operands = [g.value, g.scale, mask];
    give(0, steps.make('quantized_average_pool2d_gradient', node.attrs, operands, node.ins[0]!, node.origin));
  },
  max_pool2d({ node, steps, g, mask, give }) {
    const x = node.ins[0]!;
    const operands = [x, g.value, g.scale, mask];
    give(0, steps.make('quantized_max_pool2d_gradient', node.attrs, operands, x, node.origin));
  },
  resize_nearest({ node, steps, g, give }) {
    const operands = [g.value, g.scale];
    give(0, steps.make('quantized_resize_nearest_gradient', node.attrs, operands, node.ins[0]!, node.origin));
  },
  resize_bilinear({ node, steps, g, give }) {
    const operands = [g.value, g.scale];
    give(
      0,
      steps.make('quantized_resize_bilinear_gradient', node.attrs, operands, node.ins[0]!, node.origin),
    );
  },
  softmax({ node, steps, g, give }) {
    const x = node.ins[0]!;
    const { beta } = node.attrs;
    const shape = steps.shapeOf(x);
    const slope = steps.make(
      'quantized_softmax_gradient',
      {},
      [node.outs[0]!, g.value, g.scale],
      x,
      node.origin,
    );
    if (beta === 1) {
      give(0, slope);
      return;
    }
    const image = steps.asImage(slope, node.origin);
    const factor = steps.factors(new Array(shape.at(-1)!).fill(1), node.origin, beta);
    const scaled = steps.times(image, factor, null, x, node.origin, imageOf(shape));
    give(0, steps.asShape(scaled, shape, node.origin));
  },
  conv2d: (passing) => throughConvolution(passing, 'quantized_conv2d_input_gradient'),
  depthwise_conv2d: (passing) => throughConvolution(passing, 'quantized_depthwise_conv2d_input_gradient'),
  transpose_conv2d: throughTransposed,
  fully_connected({ node, steps, g, mask, give }) {
    const { builder } = steps;
    const [x, weightsId] = node.ins as [ValueId, ValueId];
    const weights = builder.value(weightsId);
    const [outputs, inputs] = weights.shape as [number, number];
    const filter = builder.constant(
      weights.name,
      { ...weights, shape: [outputs, 1, 1, inputs] },
      weights.data!,
    );
    const image = steps.asImage(g, node.origin);
    const operands = [image.value, image.scale, mask, filter, null, null];
    const window = { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0], clamp: [-128, 127] } as const;
    const [, height, width] = steps.shapeOf(image.value) as [number, number, number];
    const shape = [1, height, width, inputs];
    const op = 'quantized_conv2d_input_gradient';
    const made = steps.make(op, window, operands, x, node.origin, shape);
    give(0, steps.asShape(made, steps.shapeOf(x), node.origin));
  },
};

/** Whether there is a way back through the node; it is taken. */
export function passBack(passing: Passing): boolean {
  const { steps, g, give } = passing;
  const node = passing.node as Node;
  const rule = RULES[node.op] as ((passing: Passing) => void) | undefined;
  const table = rule === undefined ? derivativeTable(steps.builder, node) : null;
  if (rule !== undefined) rule(passing);
  else if (table !== null) {
    const x = node.ins[0]!;
    give(0, steps.make('unary_gradient', table, [x, g.value, g.scale], x, node.origin));
  }
  return rule !== undefined || table !== null;
}

function throughSum(passing: Passing<'add' | 'sub'>, signs: readonly (1 | -1)[]): void {
  const { node, steps, g, mask, wanted, give } = passing;
  const passed = clamped(passing, steps.masked(g, mask, node.outs[0]!, node.origin));
  for (const operand of wanted)
    give(operand, steps.summedTo(passed, node.ins[operand]!, node.origin, signs[operand]));
}

/** A mask makes an image of what it lets through. */
function clamped({ node, steps }: Passing, passed: Gradient): Gradient {
  return steps.asShape(passed, steps.shapeOf(node.outs[0]!), node.origin);
}

/** The other operand is spread to the shape of the result, unless the kernel does that, and what was repeated is summed. */
function throughProduct({ node, steps, g, mask, wanted, give }: Passing<'mul'>): void {
  const { origin } = node;
  const shape = steps.shapeOf(node.outs[0]!);
  const image = steps.asImage(g, origin);
  const seen = steps.shapeOf(image.value);
  const isDirect = (id: ValueId): boolean => {
    const own = steps.shapeOf(id);
    return sameShape(own, seen) || (elementCount(own) === own.at(-1) && own.at(-1) === seen.at(-1));
  };
  for (const operand of wanted) {
    const [x, other] = [node.ins[operand]!, node.ins[1 - operand]!];
    const factor = isDirect(other) ? other : spread(steps.builder, other, shape, seen, origin);
    if (isDirect(x)) give(operand, steps.times(image, factor, mask, x, origin, steps.shapeOf(x)));
    else {
      const whole = steps.times(image, factor, mask, x, origin, seen);
      give(operand, steps.summedTo(steps.asShape(whole, shape, origin), x, origin));
    }
  }
}

/** The operand that the result is gets the gradient, the second one where both are equal: their difference tells. */
function throughExtremum(
  { node, steps, g, wanted, give }: Passing<'maximum' | 'minimum'>,
  sign: 1 | -1,
): void {
  const { builder } = steps;
  const y = builder.value(node.outs[0]!);
  const difference = builder.activation(`${y.name}/difference`, {
    shape: y.shape,
    dtype: 'int8',
    quantization: { scales: [scaleOf(y)], zeroPoints: [0], axis: 0 },
  });
  builder.node('sub', { clamp: [-128, 127] }, node.ins, [difference], node.origin);
  for (const operand of wanted) {
    const isFirst = (x: number): boolean => sign * x > 0;
    const table = stepTable((raw) => isFirst(raw) === (operand === 0));
    const operands = [difference, g.value, g.scale];
    const part = steps.make('unary_gradient', table, operands, y.id, node.origin);
    give(operand, steps.summedTo(part, node.ins[operand]!, node.origin));
  }
}

/** Where x is positive the gradient is that of x; elsewhere it is multiplied: by the slope for x, by x for the slope. */
function throughPrelu({ node, steps, g, wanted, give }: Passing<'prelu'>): void {
  const { origin } = node;
  const [x, slope] = node.ins as [ValueId, ValueId];
  const zeroPoint = zeroPointOf(steps.builder.value(x));
  const where = (isPositive: boolean): Gradient => {
    const table = stepTable((raw) => raw > zeroPoint === isPositive);
    return steps.make('unary_gradient', table, [x, g.value, g.scale], x, origin);
  };
  const shape = steps.shapeOf(x);
  const negative = steps.asImage(where(false), origin);
  const product = (other: ValueId): Gradient => {
    const factor = spread(steps.builder, other, shape, imageOf(shape), origin);
    const made = steps.times(negative, factor, null, x, origin, imageOf(shape));
    return steps.asShape(made, shape, origin);
  };
  if (wanted.includes(0)) give(0, steps.sum(where(true), product(slope), x, origin));
  if (wanted.includes(1)) give(1, steps.summedTo(product(x), slope, origin));
}

/** What was cut off gets zeros, and what a stride has left out, one dimension after the other. */
function throughSlice({ node, steps, g, give }: Passing<'slice'>): void {
  const { origin } = node;
  const { begin, strides } = node.attrs;
  const x = node.ins[0]!;
  const shape = steps.shapeOf(x);
  const cut = steps.shapeOf(node.outs[0]!);
  const isTurned = strides.map((stride, d) => stride < 0 && cut[d]! > 1);
  let back = g;
  if (isTurned.includes(true)) {
    const attrs = {
      begin: isTurned.map((is, d) => (is ? cut[d]! - 1 : 0)),
      strides: isTurned.map((is) => (is ? -1 : 1)),
    };
    back = steps.move('slice', attrs, back, cut, origin);
  }
  const spaced = [...cut];
  for (const [d, size] of cut.entries()) {
    const stride = Math.abs(strides[d]!);
    if (stride === 1 || size === 1) continue;
    const [outer, inner] = [spaced.slice(0, d), spaced.slice(d + 1)].map(product) as [number, number];
    const plane = steps.asShape(back, [1, outer, size, inner], origin);
    const attrs = { ...ONE_PIXEL, stride: [1, stride] } as const;
    const operands = [plane.value, plane.scale, null];
    spaced[d] = (size - 1) * stride + 1;
    const wide = [1, outer, spaced[d]!, inner];
    const made = steps.make('quantized_average_pool2d_gradient', attrs, operands, x, origin, wide);
    back = steps.asShape(made, [...spaced], origin);
  }
  const before = begin.map((first, d) => (isTurned[d] ? first + strides[d]! * (cut[d]! - 1) : first));
  const after = shape.map((size, d) => size - before[d]! - spaced[d]!);
  give(
    0,
    sameShape(spaced, shape) ? back : steps.move('pad', { before, after, value: 0 }, back, shape, origin),
  );
}

/** A mean, which is over neighbouring axes, is a pooling of rows of a plane [outer, reduced, inner]. */
function throughMean({ node, steps, g, give }: Passing<'mean'>): void {
  const { attrs, origin } = node;
  const { axes } = attrs;
  const x = node.ins[0]!;
  const shape = steps.shapeOf(x);
  if (shape.length === 4 && axes.join() === '1,2') {
    give(0, steps.make('mean_gradient', {}, [g.value, g.scale], x, origin));
    return;
  }
  const [outer, reduced, inner] = [
    shape.slice(0, axes[0]!),
    shape.slice(axes[0]!, axes[0]! + axes.length),
    shape.slice(axes[0]! + axes.length),
  ].map(product) as [number, number, number];
  const seen = steps.asShape(g, [1, outer, 1, inner], origin);
  const window = [1, reduced] as const;
  const pool = { ...ONE_PIXEL, kernel: window, stride: window };
  const operands = [seen.value, seen.scale, null];
  const op = 'quantized_average_pool2d_gradient';
  const plane = steps.make(op, pool, operands, x, origin, [1, outer, reduced, inner]);
  give(0, steps.asShape(plane, shape, origin));
}

/** What a convolution computes in groups, its gradient computes as if there were none. */
function throughConvolution(
  { node, steps, g, mask, give }: Passing<'conv2d' | 'depthwise_conv2d'>,
  op: 'quantized_conv2d_input_gradient' | 'quantized_depthwise_conv2d_input_gradient',
): void {
  const { builder } = steps;
  const [x, weightsId] = node.ins as [ValueId, ValueId];
  const weights: Value = builder.value(weightsId);
  const inputs = steps.shapeOf(x).at(-1)!;
  const isPlain = weights.shape.at(-1) === inputs;
  const filter = isPlain ? weightsId : ungrouped(builder, weights, inputs, node.op === 'depthwise_conv2d');
  const operands = [g.value, g.scale, mask, filter, null, null];
  const attrs = (node as Node & { op: 'conv2d' }).attrs;
  give(0, steps.make(isPlain ? op : 'quantized_conv2d_input_gradient', attrs, operands, x, node.origin));
}

function product(sizes: Shape): number {
  return sizes.reduce((a, b) => a * b, 1);
}
