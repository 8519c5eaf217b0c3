/** Convolutions that learn: forward with weights in SRAM, the gradient of the input, steps of weights and biases. */
import type { NodeAttributes } from '../../ir/attributes.ts';
import { elementCount, type Shape, type Value } from '../../ir/types.ts';
import { conv2d } from '../conv2d/op.ts';
import type { NodeView, OpDef, Problem } from '../definition.ts';
import { gradientProblem, gradientScaleProblem, incomingProblem } from '../gradient.ts';
import { firstProblem, scaleOf } from '../quantization.ts';
import { sameShape } from '../strided.ts';
import { stateProblem } from '../update.ts';
import { bindBiasUpdate, bindForward, bindInputGradient, bindUpdate } from './bind.ts';
import {
  biasUpdateProblem,
  bindBiasUpdateByFours,
  bindColumns,
  bindPointwiseForward,
  bindPointwiseGradient,
  bindPointwiseUpdate,
  columnsProblem,
  pointwiseGradientProblem,
  pointwiseProblem,
  pointwiseUpdateProblem,
} from './pointwise.ts';
import {
  biasUpdateReference,
  forwardReference,
  inputGradientReference,
  updateReference,
} from './reference.ts';

export const trainedConv2d: OpDef<'trained_conv2d'> = {
  name: 'trained_conv2d',
  verify: ({ attrs, ins, outs }) => {
    const [x, weights, bias, trained, channels] = ins;
    return (
      conv2d.verify({ attrs, ins: [x!, weights!, null], outs }) ??
      firstProblem(
        weights!.shape[3] === x!.shape[3]
          ? undefined
          : { code: 'RV2002', message: 'the convolution is grouped' },
        stateProblem(bias, 'the bias', 'int32', weights!.shape[0]!),
        trainedProblem(weights!.shape, trained, channels),
      )
    );
  },
  macs: ({ attrs, ins, outs }) => conv2d.macs({ attrs, ins, outs }),
  reference: forwardReference,
  kernels: [
    {
      name: 'trained_conv2d_1x1_columns_dsp_s8',
      isa: 'dsp',
      why: 'two channels by four pixels, from a column for each pixel',
      roomy: true,
      shared: true,
      refuses: columnsProblem,
      bind: (view) => [bindColumns(view)],
    },
    {
      name: 'trained_conv2d_1x1_dsp_s8',
      isa: 'dsp',
      shared: true,
      why: 'two channels by two pixels; flash has one copy of the weights for both ways',
      refuses: ({ attrs, ins }) => pointwiseProblem(attrs, ins[1]!.shape),
      bind: (view) => [bindPointwiseForward(view)],
    },
    {
      name: 'trained_conv2d_s8',
      isa: 'portable',
      why: 'any window, weights in flash and in SRAM',
      refuses: () => undefined,
      bind: (view) => [bindForward(view)],
    },
  ],
};

export const quantizedConv2dInputGradient: OpDef<'quantized_conv2d_input_gradient'> = {
  name: 'quantized_conv2d_input_gradient',
  verify: ({ attrs, ins, outs }) => {
    const [g, gScale, mask, weights, trained, channels, scale] = ins;
    const dx = outs[0]!;
    if (!g || !weights) return { code: 'RV2005', message: 'the gradient or the weights are missing' };
    return firstProblem(
      incomingProblem([g, gScale, mask], g),
      gradientScaleProblem(scale),
      gradientProblem(dx, dx.shape),
      windowsProblem(attrs, dx.shape, weights.shape, g.shape),
      trainedProblem(weights.shape, trained, channels),
    );
  },
  mutates: [6],
  macs: ({ ins }) => elementCount(ins[0]!.shape) * elementCount(ins[3]!.shape.slice(1)),
  reference: inputGradientReference,
  kernels: [
    {
      name: 'conv2d_input_gradient_1x1_dsp_s8',
      isa: 'dsp',
      why: 'two inputs of four pixels, two output channels an instruction',
      shared: true,
      refuses: pointwiseGradientProblem,
      bind: (view) => [bindPointwiseGradient(view)],
    },
    {
      name: 'conv2d_input_gradient_s8',
      isa: 'portable',
      why: 'any window; a row of weights is added up for each value of the gradient',
      refuses: () => undefined,
      bind: (view) => [bindInputGradient(view)],
    },
  ],
};

export const conv2dUpdate: OpDef<'conv2d_update'> = {
  name: 'conv2d_update',
  verify: (view) => {
    const { attrs, ins } = view;
    const [x, g, gScale, mask, weights, trained] = ins;
    if (!x || !g || !weights || !trained)
      return { code: 'RV2005', message: 'an operand of the update is missing' };
    if (!(scaleOf(x) > 0)) return { code: 'RV2004', message: 'the input has no scale' };
    return firstProblem(
      incomingProblem([g, gScale, mask], g),
      windowsProblem(attrs, x.shape, trained.shape, g.shape),
      weightStepProblem(view),
    );
  },
  mutates: [5, 6, 7, 9, 10],
  macs: ({ ins }) => elementCount(ins[1]!.shape) * elementCount(ins[5]!.shape.slice(1)),
  reference: updateReference,
  kernels: [
    {
      name: 'conv2d_update_1x1_dsp_s8',
      isa: 'dsp',
      why: 'four channels by four inputs at a time, two pixels an instruction',
      shared: true,
      refuses: pointwiseUpdateProblem,
      bind: (view) => [bindPointwiseUpdate(view)],
    },
    {
      name: 'conv2d_update_s8',
      isa: 'portable',
      why: 'any window; a row of weights at a time',
      refuses: () => undefined,
      bind: (view) => [bindUpdate(view)],
    },
  ],
};

export const biasUpdate: OpDef<'bias_update'> = {
  name: 'bias_update',
  verify: ({ ins }) => {
    const [g, gScale, mask, weights, bias, random, rate, velocity, pending, apply] = ins;
    if (!g || !weights) return { code: 'RV2005', message: 'the gradient or the weights are missing' };
    const count = g.shape.at(-1)!;
    return firstProblem(
      incomingProblem([g, gScale, mask], g),
      stateProblem(bias, 'the bias', 'int32', count),
      stepProblem(count, [random, rate, velocity, pending, apply]),
    );
  },
  mutates: [4, 5, 7, 8],
  macs: ({ ins }) => elementCount(ins[0]!.shape),
  reference: biasUpdateReference,
  kernels: [
    {
      name: 'bias_update_dsp_s8',
      isa: 'dsp',
      shared: true,
      why: 'four channels at a time',
      refuses: biasUpdateProblem,
      bind: (view) => [bindBiasUpdateByFours(view)],
    },
    {
      name: 'bias_update_s8',
      isa: 'portable',
      shared: true,
      why: 'sums of the gradient by channel',
      refuses: () => undefined,
      bind: (view) => [bindBiasUpdate(view)],
    },
  ],
};

/** The problem with `trained`, a state of the weights of `channels`, of all without these. */
export function trainedProblem(
  weights: Shape,
  trained: Value | null | undefined,
  channels: Value | null | undefined,
): Problem | undefined {
  const count = channels ? channels.shape[0]! : weights.at(-1)!;
  if (!trained)
    return channels ? { code: 'RV2005', message: 'channels are named but not trained' } : undefined;
  if (
    !sameShape(trained.shape, [...weights.slice(0, -1), count]) ||
    trained.role !== 'state' ||
    trained.dtype !== 'int8'
  ) {
    return { code: 'RV2005', message: `trained weights [${trained.shape}] do not fit weights [${weights}]` };
  }
  if (!channels) return undefined;
  const list =
    channels.role === 'const' && channels.dtype === 'int32' ? (channels.data as Int32Array) : undefined;
  const isAscending = list?.every((c, j) => c > (list[j - 1] ?? -1) && c < weights.at(-1)!) ?? false;
  return isAscending
    ? undefined
    : { code: 'RV2002', message: 'the trained channels are not an ascending list' };
}

/** The problem with an update of weights [O, kh, kw, n]: of everything behind the gradient. */
export function weightStepProblem({
  attrs,
  ins,
}: NodeView<'conv2d_update' | 'depthwise_conv2d_update'>): Problem | undefined {
  const [, , , , , trained, residual, random, rate, velocity, pending, apply] = ins;
  const count = elementCount(trained!.shape);
  const { residualBits } = attrs;
  return firstProblem(
    stateProblem(trained, 'the weights', 'int8', count),
    residualBits > 0
      ? stateProblem(residual, 'the residual', 'uint8', Math.ceil((count * residualBits) / 8))
      : residual
        ? { code: 'RV2005', message: 'a residual of no bits' }
        : undefined,
    stepProblem(count, [random, rate, velocity, pending, apply]),
  );
}

export function stepProblem(
  count: number,
  [random, rate, velocity, pending, apply]: readonly (Value | null | undefined)[],
): Problem | undefined {
  return firstProblem(
    stateProblem(random, 'the random state', 'int32', 1),
    rate?.dtype === 'float32' && elementCount(rate.shape) === 1
      ? undefined
      : { code: 'RV2003', message: 'the learning rate is not one float32' },
    velocity ? stateProblem(velocity, 'the velocity', 'int32', count) : undefined,
    pending ? stateProblem(pending, 'what is pending', 'int32', count) : undefined,
    pending && apply?.dtype !== 'int32'
      ? { code: 'RV2003', message: 'nobody says when what is pending is applied' }
      : undefined,
  );
}

/** Whether windows of `weights` [.., kh, kw, ..] lead from x to y. */
function windowsProblem(
  { stride, padding, dilation }: NodeAttributes['conv2d'],
  x: Shape,
  weights: Shape,
  y: Shape,
): Problem | undefined {
  const fits = [0, 1].every((d) => {
    const size =
      x[1 + d]! + padding[2 * d]! + padding[2 * d + 1]! - ((weights[1 + d]! - 1) * dilation[d]! + 1);
    return Math.floor(size / stride[d]!) + 1 === y[1 + d];
  });
  const channels = weights[0] === y[3] && weights[3] === x[3];
  if (x.length === 4 && y.length === 4 && x[0] === 1 && fits && channels) return undefined;
  return { code: 'RV2005', message: `weights [${weights}] do not lead from [${x}] to [${y}]` };
}
