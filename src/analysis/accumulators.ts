/** Intervals of the accumulators of convolutions and dense layers, from their weights: docs/numerics.md, section 2. */
import { quantizeMultiplier } from '../core/fixedpoint.ts';
import type { ClampAttributes, Padding } from '../ir/attributes.ts';
import type { Value } from '../ir/types.ts';
import { biasOf, channelMultipliers } from '../ops/convolution.ts';
import type { NodeView } from '../ops/definition.ts';
import { halvesOf } from '../ops/expand_depthwise2d/halves.ts';
import { fullyConnectedMultipliers } from '../ops/fully_connected/multipliers.ts';
import { zeroPointOf } from '../ops/quantization.ts';
import { type Channels, type Interval, including, regrouped, requantized } from './interval.ts';

/** Of each output channel the sum bias + Σ w · (x − Z_in) as an integer that never wraps, and the result it leads to. */
export interface Accumulated {
  /** They may leave int32; then the arithmetic wraps. */
  readonly accumulators: readonly Interval[];
  readonly outputs: Channels;
}

export type AccumulatingOp =
  | 'conv2d'
  | 'depthwise_conv2d'
  | 'expand_depthwise2d'
  | 'transpose_conv2d'
  | 'fully_connected';

/** From the view of a node and the intervals of its first operand. */
export const ACCUMULATED: {
  readonly [K in AccumulatingOp]: (view: NodeView<K>, x: Channels) => Accumulated;
} = {
  conv2d: (view, x) => summed(view, x, isPadded(view.attrs.padding)),
  // Every output pixel is reached by some of the taps only, the others might as well see padding.
  transpose_conv2d: (view, x) => summed(view, x, true),
  fully_connected(view, x) {
    const [input, weights] = [view.ins[0]!, view.ins[1]!];
    const multipliers = fullyConnectedMultipliers(input, weights, view.outs[0]!);
    const found = summed(view, regrouped(x, weights.shape[1]!), false, multipliers);
    // Leading axes of the output may be split in any way.
    return { ...found, outputs: regrouped(found.outputs, view.outs[0]!.shape.at(-1) ?? 1) };
  },
  depthwise_conv2d: depthwise,
  expand_depthwise2d(view, x) {
    const { expand, depthwise: second } = halvesOf(view);
    return depthwise(second, summed(expand, x, false).outputs);
  },
};

export function isPadded(padding: Padding): boolean {
  return padding.some((size) => size > 0);
}

type Convolution = NodeView<Exclude<AccumulatingOp, 'expand_depthwise2d'>>;

/**
 * Weights [O, taps, C]: each output sums over the channels of its group in every tap, whatever the order of taps.
 * @param x by input channel
 * @param padded whether a tap may lie outside the image, where x counts as its zero point
 */
function summed(
  view: Convolution,
  x: Channels,
  padded: boolean,
  multipliers: readonly number[] = multipliersOf(view, view.ins[1]!.shape[0]!),
): Accumulated {
  const [input, weights, bias] = view.ins as [Value, Value, Value | null | undefined];
  const filter = weights.data as Int8Array;
  const outputs = weights.shape[0]!;
  const depth = weights.shape.at(-1)!;
  const perOutput = filter.length / outputs;
  const perGroup = outputs / (x.length / depth);
  const steps = stepsFrom(x, zeroPointOf(input), padded);
  const biases = biasOf(bias, outputs);
  const accumulators = Array.from({ length: outputs }, (_, o): Interval => {
    const first = Math.floor(o / perGroup) * depth;
    let lo = biases[o]!;
    let hi = lo;
    for (let i = 0; i < perOutput; ++i) {
      const w = filter[o * perOutput + i]!;
      const step = steps[first + (i % depth)]!;
      lo += w * (w < 0 ? step.hi : step.lo);
      hi += w * (w < 0 ? step.lo : step.hi);
    }
    return { lo, hi };
  });
  return finished(view, accumulators, multipliers);
}

/** Weights [1, kh, kw, O]: output o sums over taps of input channel ⌊o / multiplier⌋. */
function depthwise(view: NodeView<'depthwise_conv2d'>, x: Channels): Accumulated {
  const [input, weights, bias] = view.ins as [Value, Value, Value | null | undefined];
  const filter = weights.data as Int8Array;
  const outputs = weights.shape[3]!;
  const steps = stepsFrom(x, zeroPointOf(input), isPadded(view.attrs.padding));
  const accumulators = Array.from(biasOf(bias, outputs), (b, o): Interval => {
    const step = steps[Math.floor((o * x.length) / outputs)]!;
    let [lo, hi] = [b, b];
    for (let i = o; i < filter.length; i += outputs) {
      const w = filter[i]!;
      lo += w * (w < 0 ? step.hi : step.lo);
      hi += w * (w < 0 ? step.lo : step.hi);
    }
    return { lo, hi };
  });
  return finished(view, accumulators, multipliersOf(view, outputs));
}

/** Intervals of x − Z_in. */
function stepsFrom(x: Channels, zeroPoint: number, padded: boolean): Channels {
  return x.map((channel) => {
    const { lo, hi } = padded ? including(channel, zeroPoint) : channel;
    return { lo: lo - zeroPoint, hi: hi - zeroPoint };
  });
}

function multipliersOf({ ins, outs }: Convolution, outputs: number): number[] {
  return channelMultipliers(ins[0]!, ins[1]!, outs[0]!, outputs);
}

/** @param multipliers one an output channel, or a single one */
function finished(
  { attrs, outs }: Convolution,
  accumulators: readonly Interval[],
  multipliers: readonly number[],
): Accumulated {
  const { clamp } = attrs as ClampAttributes;
  const quantized = multipliers.map(quantizeMultiplier);
  const zeroPoint = zeroPointOf(outs[0]!);
  return {
    accumulators,
    outputs: accumulators.map((interval, o) =>
      requantized(interval, quantized[quantized.length === 1 ? 0 : o]!, zeroPoint, clamp),
    ),
  };
}
