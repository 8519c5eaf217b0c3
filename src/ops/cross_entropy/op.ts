/** The loss of a classifier: docs/training.md. */
import type { TrainingOp } from '../../ir/attributes.ts';
import { at } from '../conv2d/float.ts';
import type { NodeView, OpDef, Problem, Tensor } from '../definition.ts';
import { floatKernel, operandsProblem, shapeProblem } from '../float.ts';
import { softmaxOf } from '../softmax/float.ts';

export const softmaxCrossEntropy: OpDef<'softmax_cross_entropy'> = {
  name: 'softmax_cross_entropy',
  verify: (view) => logitsProblem(view, 2) ?? shapeProblem(view.outs[0]!, [1]),
  macs: () => 0,
  reference({ attrs: { smoothing }, ins, outs }) {
    const [logits, labels] = [ins[0]!, ins[1]!];
    const losses = rowsOf(logits).map((row, n) => {
      const logit = row[at(labels, n)];
      const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
      return logit === undefined ? 0 : logOfSum(row) - (1 - smoothing) * logit - smoothing * mean;
    });
    outs[0]!.data[0] = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  },
  kernels: [
    floatKernel('softmax_cross_entropy_f32', 'any classes', (view) => ({
      geometry: geometryOf(view),
      data: { smoothing: [view.attrs.smoothing] },
    })),
  ],
};

export const softmaxCrossEntropyGradient: OpDef<'softmax_cross_entropy_gradient'> = {
  name: 'softmax_cross_entropy_gradient',
  verify: (view) =>
    logitsProblem(view, 3) ??
    shapeProblem(view.ins[2]!, [1]) ??
    shapeProblem(view.outs[0]!, view.ins[0]!.shape),
  macs: () => 0,
  reference({ attrs: { smoothing }, ins, outs }) {
    const [logits, labels, error] = [ins[0]!, ins[1]!, ins[2]!];
    const rows = rowsOf(logits);
    const classes = logits.shape[1]!;
    rows.forEach((row, n) => {
      const label = at(labels, n);
      const known = label >= 0 && label < classes;
      softmaxOf(row).forEach((share, c) => {
        const target = (c === label ? 1 - smoothing : 0) + smoothing / classes;
        const slope = known ? share - target : 0;
        outs[0]!.data[n * classes + c] = (slope * at(error, 0)) / rows.length;
      });
    });
  },
  kernels: [
    floatKernel('softmax_cross_entropy_gradient_f32', 'any classes', (view) => ({
      geometry: geometryOf(view),
      data: { smoothing: [view.attrs.smoothing] },
    })),
  ],
};

function logitsProblem(view: NodeView<TrainingOp>, count: number): Problem | undefined {
  const missing = operandsProblem(view, count, [1]);
  if (missing) return missing;
  const [logits, labels] = [view.ins[0]!, view.ins[1]!];
  if (labels.dtype !== 'int32')
    return { code: 'RV2003', message: `the labels are ${labels.dtype}, not int32` };
  if (logits.shape.length !== 2) {
    return { code: 'RV2005', message: `the logits are [${logits.shape}], not [batch, classes]` };
  }
  return shapeProblem(labels, [logits.shape[0]!]);
}

function geometryOf({ ins }: NodeView<TrainingOp>): Record<string, number> {
  const [batch, classes] = ins[0]!.shape as [number, number];
  return { batch, classes };
}

/** ln of the sum of exponentials. */
function logOfSum(values: readonly number[]): number {
  const most = Math.max(...values);
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

function rowsOf(logits: Tensor): number[][] {
  const [batch, classes] = logits.shape as [number, number];
  return Array.from({ length: batch }, (_, n) =>
    Array.from({ length: classes }, (_, c) => at(logits, n * classes + c)),
  );
}
