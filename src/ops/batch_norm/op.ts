/** Batch normalisation (Ioffe and Szegedy, 2015) with a clamp behind it, and its gradients: docs/training.md. */
import type { BatchNormAttributes } from '../../ir/attributes.ts';
import { elementCount, type Value } from '../../ir/types.ts';
import { at } from '../conv2d/float.ts';
import type { NodeView, OpDef, Problem, ReferenceView, Tensor } from '../definition.ts';
import { type FloatCall, floatKernel, MOST_LANES, operandsProblem, shapeProblem } from '../float.ts';
import { clampReal, Sums } from '../taps.ts';

type Normalising = 'batch_norm' | 'batch_norm_parameter_gradient' | 'batch_norm_input_gradient';

export const batchMoments: OpDef<'batch_moments'> = {
  name: 'batch_moments',
  verify: (view) => operandsProblem(view, 1) ?? shapeProblem(view.outs[0]!, [2, channelsOf(view.ins[0]!)]),
  macs: () => 0,
  reference({ ins, outs }) {
    const [x, moments] = [ins[0]!, outs[0]!];
    const channels = channelsOf(x);
    const rows = x.data.length / channels;
    const means = new Float64Array(channels);
    for (let i = 0; i < x.data.length; ++i) means[i % channels]! += at(x, i) / rows;
    const sums = new Sums(2 * channels);
    for (let c = 0; c < channels; ++c) sums.add(c, means[c]!);
    for (let i = 0; i < x.data.length; ++i) {
      sums.add(channels + (i % channels), (at(x, i) - means[i % channels]!) ** 2 / rows);
    }
    sums.store(moments);
  },
  kernels: [
    floatKernel('batch_moments_f32', 'all rows', (view) => ({ ...rowsOf(view), scratch: periods(view, 3) })),
  ],
};

export const batchNorm: OpDef<'batch_norm'> = {
  name: 'batch_norm',
  verify: (view) => normaliseProblem(view, 4) ?? shapeProblem(view.outs[0]!, view.ins[0]!.shape),
  macs: () => 0,
  reference(view) {
    const y = view.outs[0]!;
    const { normalised, before } = normalise(view);
    for (let i = 0; i < normalised.length; ++i) y.data[i] = clampReal(before(i), view.attrs.clamp);
  },
  kernels: [floatKernel('batch_norm_f32', 'all rows', (view) => normaliseCall(view, 2))],
};

export const batchNormParameterGradient: OpDef<'batch_norm_parameter_gradient'> = {
  name: 'batch_norm_parameter_gradient',
  verify: (view) =>
    normaliseProblem(view, 5) ??
    shapeProblem(view.ins[4]!, view.ins[0]!.shape) ??
    shapeProblem(view.outs[0]!, [2, channelsOf(view.ins[0]!)]),
  macs: () => 0,
  reference(view) {
    const { normalised, error } = normalise(view);
    const channels = channelsOf(view.ins[0]!);
    const sums = new Sums(2 * channels);
    normalised.forEach((h, i) => {
      sums.add(i % channels, error(i) * h);
      sums.add(channels + (i % channels), error(i));
    });
    sums.store(view.outs[0]!);
  },
  kernels: [floatKernel('batch_norm_parameter_gradient_f32', 'all rows', (view) => normaliseCall(view, 5))],
};

export const batchNormInputGradient: OpDef<'batch_norm_input_gradient'> = {
  name: 'batch_norm_input_gradient',
  verify: (view) =>
    normaliseProblem(view, 6) ??
    shapeProblem(view.ins[4]!, view.ins[0]!.shape) ??
    shapeProblem(view.ins[5]!, [2, channelsOf(view.ins[0]!)]) ??
    shapeProblem(view.outs[0]!, view.ins[0]!.shape),
  macs: () => 0,
  reference(view) {
    const { normalised, error, inverse } = normalise(view);
    const [gamma, gradients, dx] = [view.ins[2]!, view.ins[5]!, view.outs[0]!];
    const channels = channelsOf(dx);
    const rows = dx.data.length / channels;
    normalised.forEach((h, i) => {
      const c = i % channels;
      const mean = (at(gradients, channels + c) + h * at(gradients, c)) / rows;
      dx.data[i] = at(gamma, c) * inverse(c) * (error(i) - mean);
    });
  },
  kernels: [floatKernel('batch_norm_input_gradient_f32', 'all rows', (view) => normaliseCall(view, 4))],
};

/** What all references need: the normalised input, what comes before the clamp, and the gradient that passes it. */
function normalise({ attrs, ins }: ReferenceView<Normalising>) {
  const [x, moments, gamma, beta] = ins as [Tensor, Tensor, Tensor, Tensor];
  const channels = channelsOf(x);
  const inverse = (c: number): number => 1 / Math.sqrt(at(moments, channels + c) + attrs.epsilon);
  const normalised = Float64Array.from(
    { length: x.data.length },
    (_, i) => (at(x, i) - at(moments, i % channels)) * inverse(i % channels),
  );
  const before = (i: number): number => normalised[i]! * at(gamma, i % channels) + at(beta, i % channels);
  const error = (i: number): number => {
    const isCut = before(i) <= attrs.clamp[0] || before(i) >= attrs.clamp[1];
    return isCut ? 0 : at(ins[4]!, i);
  };
  return { normalised, before, error, inverse };
}

function normaliseProblem(view: NodeView<Normalising>, count: number): Problem | undefined {
  const missing = operandsProblem(view, count);
  if (missing) return missing;
  const [x, moments, gamma, beta] = view.ins as [Value, Value, Value, Value];
  const channels = channelsOf(x);
  if (!(view.attrs.epsilon > 0)) return { code: 'RV2002', message: `epsilon is ${view.attrs.epsilon}` };
  return (
    shapeProblem(moments, [2, channels]) ?? shapeProblem(gamma, [channels]) ?? shapeProblem(beta, [channels])
  );
}

function normaliseCall(view: NodeView<Normalising>, patterns: number): FloatCall {
  const { epsilon, clamp }: BatchNormAttributes = view.attrs;
  return { ...rowsOf(view), data: { numbers: [epsilon, ...clamp] }, scratch: periods(view, patterns) };
}

function rowsOf({ ins }: NodeView<Normalising | 'batch_moments'>): FloatCall {
  const channels = channelsOf(ins[0]!);
  return { geometry: { rows: elementCount(ins[0]!.shape) / channels, channels } };
}

/** Floats of `count` lists of numbers by channel, repeated until they fill whole vectors. */
function periods({ ins }: NodeView<Normalising | 'batch_moments'>, count: number): number {
  return count * MOST_LANES * channelsOf(ins[0]!);
}

function channelsOf({ shape }: Pick<Value, 'shape'>): number {
  return shape.at(-1) ?? 1;
}
