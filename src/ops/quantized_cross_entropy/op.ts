import { elementCount, type Value } from '../../ir/types.ts';
import type { CallSpec, NodeView, OpDef, Problem } from '../definition.ts';
import { gradientProblem, gradientScaleProblem, storeGradient } from '../gradient.ts';
import { firstProblem, int8Problem, scaleOf } from '../quantization.ts';
import { wholeTensor } from '../rows.ts';
import { softmaxScale } from '../softmax/table.ts';
import { accumulatorsOf, lossReference } from './reference.ts';
import { exponentials, FRACTION_BITS, logitStep } from './table.ts';

type Name = 'softmax_cross_entropy_loss' | 'quantized_softmax_cross_entropy_gradient';

/** Sums of exponentials stay below 2^40. */
const MAX_CLASSES = (1 << 16) - 1;

export const softmaxCrossEntropyLoss: OpDef<'softmax_cross_entropy_loss'> = {
  name: 'softmax_cross_entropy_loss',
  verify: (view) => logitsProblem(view) ?? lossProblem(view.outs[0]!),
  macs: () => 0,
  reference: lossReference,
  kernels: [
    {
      name: 'softmax_cross_entropy_loss_s8',
      isa: 'portable',
      shared: true,
      why: 'exponentials from a table of 256, logarithm by squaring',
      refuses: () => undefined,
      bind: (view) => [bindLoss(view)],
    },
  ],
};

export const quantizedSoftmaxCrossEntropyGradient: OpDef<'quantized_softmax_cross_entropy_gradient'> = {
  name: 'quantized_softmax_cross_entropy_gradient',
  verify: (view) =>
    firstProblem(
      logitsProblem(view),
      gradientScaleProblem(view.ins[2]),
      gradientProblem(view.outs[0], view.ins[0]?.shape ?? []),
    ),
  mutates: [2],
  macs: () => 0,
  reference({ ins, outs }) {
    const [logits, label, scale] = [ins[0]!, Number(ins[1]!.data[0]!), ins[2]!];
    storeGradient(accumulatorsOf(logits, label), -FRACTION_BITS, outs[0]!, scale);
  },
  kernels: [
    {
      name: 'softmax_cross_entropy_gradient_s8',
      isa: 'portable',
      shared: true,
      why: 'exponentials from a table of 256',
      refuses: () => undefined,
      bind: (view) => [bindGradient(view)],
    },
  ],
};

function logitsProblem({ ins }: NodeView<Name>): Problem | undefined {
  const [logits, label] = ins;
  if (!logits || !label) return { code: 'RV2005', message: 'the logits or the label are missing' };
  const classes = logits.shape.at(-1) ?? 0;
  if (elementCount(logits.shape) !== classes || classes < 1 || classes > MAX_CLASSES) {
    return {
      code: 'RV2005',
      message: `logits [${logits.shape}] are not of 1 to ${MAX_CLASSES} classes of one image`,
    };
  }
  return firstProblem(
    int8Problem(logits, 'the tensor of logits'),
    label.dtype === 'int32' && elementCount(label.shape) === 1
      ? undefined
      : { code: 'RV2003', message: 'the label is not one int32' },
    // The negation also catches NaN.
    softmaxScale(1, logits.quantization?.scales[0] ?? 0) > 1
      ? undefined
      : { code: 'RV2004', message: 'the scale of the logits is too small for a softmax' },
  );
}

function lossProblem(loss: Value): Problem | undefined {
  if (loss.dtype === 'float32' && elementCount(loss.shape) === 1) return undefined;
  return { code: 'RV2003', message: 'the loss is not one float32' };
}

function bindLoss({ ins, outs }: NodeView<'softmax_cross_entropy_loss'>): CallSpec {
  const [logits, label] = [ins[0]!, ins[1]!];
  return {
    geometry: { classes: elementCount(logits.shape), step: logitStep(scaleOf(logits)) },
    data: { exponentials: { role: 'table', data: exponentials(scaleOf(logits)) } },
    firings: 1,
    slots: [
      { operand: 0, ...wholeTensor(logits) },
      { operand: 1, ...wholeTensor(label) },
    ],
    output: wholeTensor(outs[0]!),
  };
}

function bindGradient({ ins, outs }: NodeView<'quantized_softmax_cross_entropy_gradient'>): CallSpec {
  const logits = ins[0]!;
  return {
    geometry: { classes: elementCount(logits.shape) },
    data: { exponentials: { role: 'table', data: exponentials(scaleOf(logits)) } },
    firings: 1,
    slots: [0, 1, 2].map((operand) => ({ operand, ...wholeTensor(ins[operand]!) })),
    output: wholeTensor(outs[0]!),
  };
}
