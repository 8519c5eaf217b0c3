/**
 * What is known of an operator's result from the intervals of its operands: one rule an operator, never too narrow. Those
 * that accumulate are in accumulators.ts.
 */
import { quantizeMultiplier } from '../core/fixedpoint.ts';
import type { Clamp, ClampAttributes, OpName, TrainingOp } from '../ir/attributes.ts';
import type { Value } from '../ir/types.ts';
import { byteRange, isByteType } from '../ops/bytes.ts';
import type { NodeView, ReferenceView } from '../ops/definition.ts';
import { ARITHMETIC, type ElementwiseOp } from '../ops/elementwise/arithmetic.ts';
import { meanParameters } from '../ops/mean/reference.ts';
import { scaleOf } from '../ops/quantization.ts';
import { OPS } from '../ops/table.ts';
import type { AccumulatingOp } from './accumulators.ts';
import {
  type Channels,
  clamped,
  hull,
  type Interval,
  including,
  regrouped,
  requantized,
} from './interval.ts';

/** The intervals of the output's channels. Operands without 8-bit elements, and absent ones, have none. */
export type Rule<K extends OpName> = (view: NodeView<K>, ins: readonly Channels[]) => Channels;

/** Elements that are evaluated one by one where a function is not monotone. */
const MOST_POINTS = 256;

export const RULES: { readonly [K in Exclude<OpName, AccumulatingOp | TrainingOp>]: Rule<K> } = {
  add: elementwise('add', corners),
  sub: elementwise('sub', corners),
  mul: elementwise('mul', cornersOfProduct),
  maximum: elementwise('maximum', corners),
  minimum: elementwise('minimum', corners),
  prelu: elementwise('prelu', everyPoint),
  // Neither the largest nor the rounded mean of values leaves the interval that holds them.
  average_pool2d: ({ attrs }, [x]) => x!.map((channel) => clamped(channel, attrs.clamp)),
  max_pool2d: ({ attrs }, [x]) => x!.map((channel) => clamped(channel, attrs.clamp)),
  mean,
  pad,
  reshape: ({ outs }, [x]) => regrouped(x!, channelCount(outs[0]!)),
  transpose: ({ attrs, outs }, [x]) =>
    attrs.permutation.at(-1) === attrs.permutation.length - 1 ? x! : everywhere(outs[0]!, hull(x!)),
  concat({ attrs, outs }, ins) {
    const isLast = attrs.axis === outs[0]!.shape.length - 1;
    return isLast ? ins.flat() : ins[0]!.map((_, c) => hull(ins.map((x) => x[c]!)));
  },
  slice({ attrs, outs }, [x]) {
    const [begin, stride] = [attrs.begin.at(-1) ?? 0, attrs.strides.at(-1) ?? 1];
    return Array.from({ length: channelCount(outs[0]!) }, (_, c) => x![begin + c * stride]!);
  },
  resize_nearest: (_, [x]) => x!,
  // Four weights that are not negative and add up to 2^20, and rounding to nearest.
  resize_bilinear: (_, [x]) => x!,
  softmax: ({ outs }) => anything(outs[0]!),
  logistic: tabulated('logistic'),
  tanh: tabulated('tanh'),
  relu: tabulated('relu'),
  leaky_relu: tabulated('leaky_relu'),
  hard_swish: tabulated('hard_swish'),
  quantize: tabulated('quantize'),
  dequantize: () => [],
  softmax_cross_entropy_loss: () => [],
  quantized_softmax_cross_entropy_gradient: ({ outs }) => anything(outs[0]!),
  clamp_mask: ({ outs }) => anything(outs[0]!),
  trained_conv2d: ({ outs }) => anything(outs[0]!),
  quantized_conv2d_input_gradient: ({ outs }) => anything(outs[0]!),
  conv2d_update: () => [],
  bias_update: () => [],
  trained_depthwise_conv2d: ({ outs }) => anything(outs[0]!),
  quantized_depthwise_conv2d_input_gradient: ({ outs }) => anything(outs[0]!),
  depthwise_conv2d_update: () => [],
  gradient_sum: ({ outs }) => anything(outs[0]!),
  mean_gradient: ({ outs }) => anything(outs[0]!),
  quantized_softmax_gradient: ({ outs }) => anything(outs[0]!),
  quantized_resize_nearest_gradient: ({ outs }) => anything(outs[0]!),
  quantized_resize_bilinear_gradient: ({ outs }) => anything(outs[0]!),
  quantized_average_pool2d_gradient: ({ outs }) => anything(outs[0]!),
  quantized_max_pool2d_gradient: ({ outs }) => anything(outs[0]!),
  unary_gradient: ({ outs }) => anything(outs[0]!),
  mul_gradient: ({ outs }) => anything(outs[0]!),
  gather_channels: ({ attrs }, [x]) => attrs.channels.map((c) => x![c]!),
};

export function channelCount({ shape }: Pick<Value, 'shape'>): number {
  return shape.at(-1) ?? 1;
}

/** All that the type of `value` can hold; none for types other than 8-bit. */
export function anything(value: Value): Channels {
  if (!isByteType(value.dtype)) return [];
  const [lo, hi] = byteRange(value);
  return everywhere(value, { lo, hi });
}

function everywhere(value: Value, interval: Interval): Channels {
  return new Array<Interval>(channelCount(value)).fill(interval);
}

/** The image of the box a x b under `evaluate`, clamped to `bounds`. */
type Image = (
  evaluate: (a: number, b: number) => number,
  a: Interval,
  b: Interval,
  view: NodeView<ElementwiseOp>,
) => Interval;

function elementwise<K extends ElementwiseOp>(op: K, image: Image): Rule<K> {
  return (view, [a, b]) => {
    const [valueA, valueB, y] = [view.ins[0]!, view.ins[1]!, view.outs[0]!];
    const evaluate = ARITHMETIC[op].evaluate({ a: valueA, b: valueB, y, attrs: view.attrs });
    return Array.from({ length: channelCount(y) }, (_, c) =>
      image(evaluate, a!.length === 1 ? a![0]! : a![c]!, b!.length === 1 ? b![0]! : b![c]!, view),
    );
  };
}

/** For functions that rise or fall in each operand, whatever the other is. */
function corners(evaluate: (a: number, b: number) => number, a: Interval, b: Interval): Interval {
  const results = [a.lo, a.hi].flatMap((x) => [b.lo, b.hi].map((y) => evaluate(x, y)));
  return { lo: Math.min(...results), hi: Math.max(...results) };
}

/** A product is extreme in a corner, unless requantising shifts its 16 bits out of int32. */
function cornersOfProduct(
  evaluate: (a: number, b: number) => number,
  a: Interval,
  b: Interval,
  view: NodeView<ElementwiseOp>,
): Interval {
  const [x, y, out] = [view.ins[0]!, view.ins[1]!, view.outs[0]!];
  const { shift } = quantizeMultiplier((scaleOf(x) * scaleOf(y)) / scaleOf(out));
  if (shift <= 15) return corners(evaluate, a, b);
  const [lo, hi] = (view.attrs as ClampAttributes).clamp;
  return { lo, hi };
}

function everyPoint(
  evaluate: (a: number, b: number) => number,
  a: Interval,
  b: Interval,
  { outs }: NodeView<ElementwiseOp>,
): Interval {
  if ((a.hi - a.lo + 1) * (b.hi - b.lo + 1) > MOST_POINTS) {
    const [lo, hi] = byteRange(outs[0]!);
    return { lo, hi };
  }
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let x = a.lo; x <= a.hi; ++x) {
    for (let y = b.lo; y <= b.hi; ++y) {
      const result = evaluate(x, y);
      lo = Math.min(lo, result);
      hi = Math.max(hi, result);
    }
  }
  return { lo, hi };
}

/** The sum of n raw values lies within n times their interval; its mean is a requantisation. */
function mean({ attrs, ins, outs }: NodeView<'mean'>, [x]: readonly Channels[]): Channels {
  const [input, y] = [ins[0]!, outs[0]!];
  const last = input.shape.length - 1;
  const separate = !attrs.axes.includes(last) && channelCount(y) === x!.length;
  const count = attrs.axes.reduce((product, axis) => product * input.shape[axis]!, 1);
  const { sumOffset, multiplier, outZeroPoint } = meanParameters(input, y, count);
  const bounds: Clamp = [-128, 127];
  const meanOf = ({ lo, hi }: Interval): Interval => {
    const sum = { lo: lo * count + sumOffset, hi: hi * count + sumOffset };
    return requantized(sum, multiplier, outZeroPoint, bounds);
  };
  return separate ? x!.map(meanOf) : everywhere(y, meanOf(hull(x!)));
}

function pad({ attrs, ins }: NodeView<'pad'>, [x]: readonly Channels[]): Channels {
  const { before, after, value } = attrs;
  const last = ins[0]!.shape.length - 1;
  const border = (size: number): Interval[] => new Array<Interval>(size).fill({ lo: value, hi: value });
  const around = [...before.slice(0, last), ...after.slice(0, last)].some((size) => size > 0);
  const inner = around ? x!.map((channel) => including(channel, value)) : x!;
  return [...border(before[last] ?? 0), ...inner, ...border(after[last] ?? 0)];
}

/** Functions of one 8-bit element: their reference is evaluated on all 256, the result looked up over each interval. */
function tabulated<K extends OpName>(op: K): Rule<K> {
  return ({ attrs, ins, outs }, [x]) => {
    const [input, y] = [ins[0]!, outs[0]!];
    if (!isByteType(input.dtype)) return anything(y);
    const [lowest] = byteRange(input);
    const table = new Int16Array(256);
    const raw = Int16Array.from({ length: 256 }, (_, i) => lowest + i);
    const view = {
      attrs,
      ins: [{ ...input, shape: [256], data: raw }],
      outs: [{ ...y, shape: [256], data: table }],
    } as unknown as ReferenceView<K>;
    OPS[op].reference(view);
    const images = new Map<Interval, Interval>();
    return x!.map((channel) => {
      const results = table.subarray(channel.lo - lowest, channel.hi - lowest + 1);
      // Channels of which nothing is known share one interval.
      const image = images.get(channel) ?? { lo: Math.min(...results), hi: Math.max(...results) };
      images.set(channel, image);
      return image;
    });
  };
}
