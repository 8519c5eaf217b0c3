/** Convolutions that learn: forward with weights in SRAM, the gradient of the input, steps of weights and biases. */
import type { NodeAttributes } from '../../ir/attributes.ts';
import { elementCount, type Shape, type Value } from '../../ir/types.ts';
import { conv2d } from '../conv2d/op.ts';
import { weightsProblem } from '../convolution.ts';
import type { OpDef, Problem } from '../definition.ts';
import { gradientProblem, gradientScaleProblem, incomingProblem } from '../gradient.ts';
import { firstProblem, int8Problem } from '../quantization.ts';
import { residualProblem, type StepValues, stateProblem, stepProblem } from '../step-operands.ts';
import { sameShape } from '../strided.ts';
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
        stateProblem(bias, 'int32', weights!.shape[0]!, 'the bias'),
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
      forwardProblem(attrs, dx, weights, g),
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
  verify: ({ attrs, ins, outs }) => {
    const [x, g, gScale, mask, weights, trained, residual, ...step] = ins;
    if (!x || !g || !weights || !trained)
      return { code: 'RV2005', message: 'an operand of the update is missing' };
    const count = elementCount(trained.shape);
    return firstProblem(
      int8Problem(x, 'the input'),
      incomingProblem([g, gScale, mask], g),
      forwardProblem(attrs, x, { ...weights, shape: [...weights.shape.slice(0, 3), x.shape.at(-1)!] }, g),
      sameShape(trained.shape, [...weights.shape.slice(0, 3), x.shape.at(-1)!])
        ? undefined
        : { code: 'RV2005', message: `trained weights [${trained.shape}] of [${weights.shape}]` },
      stateProblem(trained, 'int8', count, 'the trained weights'),
      residualProblem(residual, attrs.residualBits, count),
      stepProblem(stepValues(step), attrs.momentum, count, outs[0]!),
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
  verify: ({ attrs, ins, outs }) => {
    const [g, gScale, mask, weights, bias, ...step] = ins;
    if (!g || !weights) return { code: 'RV2005', message: 'the gradient or the weights are missing' };
    const count = g.shape.at(-1)!;
    // Those of a convolution, or of a depthwise one.
    const axis = weights.shape[0] === count ? 0 : weights.shape.length - 1;
    return firstProblem(
      incomingProblem([g, gScale, mask], g),
      weightsProblem(weights, axis),
      weights.shape[axis] === count
        ? undefined
        : { code: 'RV2005', message: `weights [${weights.shape}] of ${count} biases` },
      attrs.inputScale > 0 && Number.isFinite(attrs.inputScale)
        ? undefined
        : { code: 'RV2004', message: `an input scale of ${attrs.inputScale}` },
      stateProblem(bias, 'int32', count, 'the bias'),
      stepProblem(stepValues(step), attrs.momentum, count, outs[0]!),
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

/** The operands from the generator on. */
function stepValues([random, rate, velocity, pending, apply]: readonly (Value | null)[]): StepValues {
  return { random, rate, velocity, pending, apply };
}

/** The problem with a convolution from an activation of the shape of `x` to one of `y`. */
function forwardProblem(
  attrs: NodeAttributes['conv2d'],
  x: Value,
  weights: Value,
  y: Value,
): Problem | undefined {
  const quantization = { scales: [1], zeroPoints: [0], axis: 0 };
  const ins = [{ ...x, quantization }, weights, null];
  const forward = conv2d.verify({ attrs, ins, outs: [{ ...y, quantization }] });
  if (forward) return forward;
  if (x.shape[0] === 1 && x.shape[3] === weights.shape[3]) return undefined;
  return {
    code: 'RV2005',
    message: `weights [${weights.shape}] do not lead from [${x.shape}] to [${y.shape}]`,
  };
}
