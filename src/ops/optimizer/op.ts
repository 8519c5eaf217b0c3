/** Operators that change states: docs/training.md. Each element is computed from what was there before, and in place. */
import type { TrainingAttributes, TrainingOp } from '../../ir/attributes.ts';
import { elementCount } from '../../ir/types.ts';
import { at } from '../conv2d/float.ts';
import type { NodeView, OpDef, Problem, Tensor } from '../definition.ts';
import { floatKernel, operandsProblem, shapeProblem } from '../float.ts';

export const runningAverage: OpDef<'running_average'> = {
  name: 'running_average',
  verify: (view) => updateProblem(view, 2, [0, 1]) ?? shapeProblem(view.outs[0]!, view.ins[0]!.shape),
  mutates: [0],
  macs: () => 0,
  reference({ attrs: { rate }, ins, outs }) {
    const [average, x, y] = [ins[0]!, ins[1]!, outs[0]!];
    for (let i = 0; i < y.data.length; ++i) {
      average.data[i] = at(average, i) + rate * (at(x, i) - at(average, i));
      y.data[i] = average.data[i]!;
    }
  },
  kernels: [
    floatKernel('running_average_f32', 'any shape', (view) => ({
      geometry: sizeOf(view),
      data: { rate: [view.attrs.rate] },
    })),
  ],
};

export const sgdUpdate: OpDef<'sgd_update'> = {
  name: 'sgd_update',
  verify: (view) =>
    updateProblem(view, 4, [0, 1, 2]) ?? shapeProblem(view.ins[3]!, [1]) ?? shapeProblem(view.outs[0]!, [1]),
  mutates: [0, 1],
  macs: () => 0,
  reference({ attrs: { momentum, decay, nesterov }, ins, outs }) {
    const [weights, velocity, gradient, rate] = ins as [Tensor, Tensor, Tensor, Tensor];
    for (let i = 0; i < weights.data.length; ++i) {
      const slope = at(gradient, i) + decay * at(weights, i);
      velocity.data[i] = momentum * at(velocity, i) + slope;
      const step = nesterov ? slope + momentum * at(velocity, i) : at(velocity, i);
      weights.data[i] = at(weights, i) - at(rate, 0) * step;
    }
    outs[0]!.data[0] = squaredLength(gradient);
  },
  kernels: [
    floatKernel('sgd_update_f32', 'any shape', (view) => ({
      geometry: sizeOf(view),
      data: { numbers: numbersOf(view.attrs) },
    })),
  ],
};

/** step = own * slope + along * velocity. */
function numbersOf({ momentum, decay, nesterov }: TrainingAttributes['sgd_update']): number[] {
  return [momentum, decay, ...(nesterov ? [1, momentum] : [0, 1])];
}

export const adamUpdate: OpDef<'adam_update'> = {
  name: 'adam_update',
  verify: (view) =>
    updateProblem(view, 6, [0, 1, 2, 4]) ??
    shapeProblem(view.ins[3]!, [2]) ??
    shapeProblem(view.ins[5]!, [1]) ??
    shapeProblem(view.outs[0]!, [1]),
  mutates: [0, 1, 2, 3],
  macs: () => 0,
  reference({ attrs: { beta1, beta2, epsilon, decay }, ins, outs }) {
    const [weights, first, second, powers, gradient, rate] = ins as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    powers.data[0] = at(powers, 0) * beta1 + (beta1 - 1);
    powers.data[1] = at(powers, 1) * beta2 + (beta2 - 1);
    for (let i = 0; i < weights.data.length; ++i) {
      const g = at(gradient, i);
      first.data[i] = beta1 * at(first, i) + (1 - beta1) * g;
      second.data[i] = beta2 * at(second, i) + (1 - beta2) * g * g;
      const step = at(first, i) / -at(powers, 0) / (Math.sqrt(at(second, i) / -at(powers, 1)) + epsilon);
      weights.data[i] = at(weights, i) - at(rate, 0) * (step + decay * at(weights, i));
    }
    outs[0]!.data[0] = squaredLength(gradient);
  },
  kernels: [
    floatKernel('adam_update_f32', 'any shape', (view) => {
      const { beta1, beta2, epsilon, decay } = view.attrs;
      return { geometry: sizeOf(view), data: { numbers: [beta1, beta2, epsilon, decay] } };
    }),
  ],
};

/** `count` operands; those of `alike` have the shape of the first, and what is changed is a state. */
function updateProblem(
  view: NodeView<TrainingOp>,
  count: number,
  alike: readonly number[],
): Problem | undefined {
  const missing = operandsProblem(view, count);
  if (missing) return missing;
  if (view.ins[0]!.role !== 'state')
    return { code: 'RV2008', message: `"${view.ins[0]!.name}" is not a state` };
  return alike
    .map((i) => shapeProblem(view.ins[i]!, view.ins[0]!.shape))
    .find((problem) => problem !== undefined);
}

function sizeOf({ ins }: NodeView<TrainingOp>): Record<string, number> {
  return { size: elementCount(ins[0]!.shape) };
}

function squaredLength({ data }: Tensor): number {
  return Array.from(data as Float32Array).reduce((sum, value) => sum + value * value, 0);
}
