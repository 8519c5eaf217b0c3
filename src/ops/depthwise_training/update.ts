import { elementCount, type Value } from '../../ir/types.ts';
import type { CallSpec, NodeView, OpDef, Problem, ReferenceView, Tensor } from '../definition.ts';
import { exponentOf, incomingProblem, maskedGradient, wholeSlot } from '../gradient.ts';
import { int8Problem, scaleOf, zeroPointOf } from '../quantization.ts';
import { planeOf, wholeTensor } from '../rows.ts';
import { residualProblem, stepProblem } from '../step-operands.ts';
import { channelScale, stepFactors, Update } from '../update.ts';
import { forwardProblem } from './input-gradient.ts';
import { forEachTap } from './taps.ts';
import { trainedProblem } from './trained.ts';

type View = NodeView<'depthwise_conv2d_update'>;

/**
 * Operands: x (its trained channels), g, its scale, mask?, weights, trained, residual?, random, rate, velocity?, pending?,
 * apply?, channels?
 */
export const depthwiseConv2dUpdate: OpDef<'depthwise_conv2d_update'> = {
  name: 'depthwise_conv2d_update',
  verify,
  mutates: [5, 6, 7, 9, 10],
  macs({ ins }) {
    const [, height, width] = ins[1]!.shape;
    return height! * width! * elementCount(ins[5]!.shape);
  },
  reference,
  kernels: [
    {
      name: 'depthwise_conv2d_update_s8',
      isa: 'portable',
      why: 'any window, one weight after the other',
      refuses: () => undefined,
      bind: (view) => [bind(view)],
    },
  ],
};

function verify(view: View): Problem | undefined {
  const { attrs, ins, outs } = view;
  const [x, g, gScale, mask, weights, trained, residual] = ins;
  if (!x || !g || !weights || !trained) return { code: 'RV2005', message: 'an operand is missing' };
  const shapes = incomingProblem([g, gScale, mask], g) ?? inputProblem(x, trained);
  if (shapes) return shapes;
  const input = { ...x, shape: x.shape.with(3, g.shape[3]!) };
  const count = elementCount(trained.shape);
  return (
    forwardProblem(attrs, input, weights, g) ??
    trainedProblem(weights, trained, ins[12] ?? null) ??
    residualProblem(residual, attrs.residualBits, count) ??
    stepProblem(stepValues(ins), attrs.momentum, count, outs[0]!)
  );
}

function inputProblem(x: Value, trained: Value): Problem | undefined {
  const type = int8Problem(x, 'the input');
  if (type) return type;
  if (x.shape.length === 4 && x.shape[3] === trained.shape[3]) return undefined;
  return { code: 'RV2005', message: `an input [${x.shape}] for trained weights [${trained.shape}]` };
}

function stepValues<T>(ins: readonly (T | null)[]) {
  const [random, rate, velocity, pending, apply] = ins.slice(7);
  return { random: random!, rate: rate!, velocity, pending, apply };
}

/** The channel of g that each trained channel belongs to. */
function channelsOf(
  trained: Pick<Value, 'shape'>,
  channels: Pick<Value, 'data'> | null | undefined,
): Int16Array {
  const chosen = channels?.data as Int32Array | undefined;
  return Int16Array.from({ length: trained.shape[3]! }, (_, j) => chosen?.[j] ?? j);
}

/** K of each trained channel: from a gradient by real weights to a step of quantised ones. */
function factorsOfSteps(
  qas: boolean,
  x: Value | Tensor,
  weights: Value | Tensor,
  channels: Int16Array,
): Float32Array {
  return stepFactors(channels.length, (j) => {
    const scale = channelScale(weights, channels[j]!);
    return qas ? scaleOf(x) / scale : scaleOf(x) * scale;
  });
}

/**
 * Each trained weight, in the order in which they lie, goes one step down its gradient: the sum of gm * (x - Z) over the
 * windows whose tap lies in the image. The result is how many had to be clamped.
 */
function reference({ attrs, ins, outs }: ReferenceView<'depthwise_conv2d_update'>): void {
  const [x, g, gScale, mask, weights, trained, residual] = ins;
  const channels = channelsOf(trained!, ins[12]);
  const count = channels.length;
  const gradient = maskedGradient(g!, mask);
  const zeroPoint = zeroPointOf(x!);
  const accumulators = new Int32Array(trained!.data.length);
  forEachTap(attrs, x!.shape, weights!.shape, g!.shape, (input, tap, output) => {
    for (let j = 0; j < count; ++j) {
      const value = Number(x!.data[input * count + j]!) - zeroPoint;
      const at = tap * count + j;
      accumulators[at] = accumulators[at]! + gradient[output * g!.shape[3]! + channels[j]!]! * value;
    }
  });
  const { random, rate, velocity = null, pending = null, apply = null } = stepValues(ins);
  const { momentum, qas, residualBits } = attrs;
  const update = new Update({ random, velocity, pending, apply, momentum, fraction: residualBits });
  const factors = factorsOfSteps(qas, x!, weights!, channels);
  accumulators.forEach((accumulator, i) => {
    const step = update.step(Number(rate.data[0]), factors[i % count]!, exponentOf(gScale!));
    if (step === undefined) return;
    update.moveWeight(trained!, residual ?? null, i, update.movement(i, accumulator, step));
  });
  outs[0]!.data[0] = update.clamped;
}

function bind({ attrs, ins, outs }: View): CallSpec {
  const [x, g, , , weights, trained] = ins as [Value, Value, Value, Value | null, Value, Value];
  const channels = channelsOf(trained, ins[12]);
  const [from, to] = [planeOf(x.shape), planeOf(g.shape)];
  return {
    geometry: {
      in_height: from.height,
      in_width: from.width,
      trained: channels.length,
      out_height: to.height,
      out_width: to.width,
      channels: to.channels,
      kernel_height: weights.shape[1]!,
      kernel_width: weights.shape[2]!,
      stride_y: attrs.stride[0],
      stride_x: attrs.stride[1],
      dilation_y: attrs.dilation[0],
      dilation_x: attrs.dilation[1],
      pad_top: attrs.padding[0],
      pad_left: attrs.padding[2],
      in_zero_point: zeroPointOf(x),
      residual_bits: attrs.residualBits,
      momentum: attrs.momentum,
    },
    data: {
      indices: { role: 'table', data: channels },
      factors: { role: 'table', data: factorsOfSteps(attrs.qas, x, weights, channels) },
    },
    firings: 1,
    slots: [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11].map((operand) => wholeSlot(ins, operand)),
    output: wholeTensor(outs[0]!),
  };
}
