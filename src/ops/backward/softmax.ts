import { elementCount } from '../../ir/types.ts';
import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { exponentOf, gradientProblem, gradientScaleProblem, storeGradient, wholeSlot } from '../gradient.ts';
import { firstProblem } from '../quantization.ts';
import { wholeTensor } from '../rows.ts';

type View = NodeView<'quantized_softmax_gradient'>;

/** As many values as a softmax has at most: their sum stays inside int32. */
const MAX_DEPTH = 4095;

/** Probabilities have 8 fraction bits, and so has a mean of gradients that they weight. */
const FRACTION = 16;

/** No softmax reaches it: its 4095 probabilities add up to less than 256 + 4095 / 2, each times 128. */
const MAX_SUM = 2 ** 20;

/** Operands: y, g, its scale, scale of the result. */
export const quantizedSoftmaxGradient: OpDef<'quantized_softmax_gradient'> = {
  name: 'quantized_softmax_gradient',
  verify,
  mutates: [3],
  macs: ({ ins }) => 2 * elementCount(ins[0]!.shape),
  reference,
  kernels: [
    {
      name: 'softmax_gradient_s8',
      isa: 'portable',
      shared: true,
      why: 'one vector after the other',
      refuses: () => undefined,
      bind: (view) => [bind(view)],
    },
  ],
};

function verify({ ins, outs }: View): Problem | undefined {
  const [y, g, gScale, scale] = ins;
  if (y?.dtype !== 'int8') return { code: 'RV2003', message: 'the probabilities are not int8' };
  const depth = y.shape.at(-1) ?? 0;
  if (depth < 1 || depth > MAX_DEPTH) {
    return { code: 'RV2002', message: `a softmax over ${depth} values, not 1 to ${MAX_DEPTH}` };
  }
  return firstProblem(
    gradientProblem(g, y.shape),
    gradientProblem(outs[0], y.shape),
    gradientScaleProblem(gScale),
    gradientScaleProblem(scale),
  );
}

/** A = p * (256 * g - sum of g * p), where p = y + 128 is a probability with 8 fraction bits; exponent that of g less 16. */
function reference({ ins, outs }: ReferenceView<'quantized_softmax_gradient'>): void {
  const [y, g, gScale, scale] = ins;
  const depth = y!.shape.at(-1)!;
  const shares = Array.from(y!.data as Int8Array, (value) => value + 128);
  const gradients = g!.data as Int8Array;
  const accumulators = new Int32Array(gradients.length);
  for (let start = 0; start < gradients.length; start += depth) {
    let sum = 0;
    for (let c = start; c < start + depth; ++c) sum += gradients[c]! * shares[c]!;
    const mean = Math.max(-MAX_SUM, Math.min(MAX_SUM, sum));
    for (let c = start; c < start + depth; ++c) accumulators[c] = shares[c]! * (256 * gradients[c]! - mean);
  }
  storeGradient(accumulators, exponentOf(gScale!) - FRACTION, outs[0]!, scale!);
}

function bind({ ins, outs }: View): CallSpec {
  const { shape } = ins[0]!;
  const depth = shape.at(-1)!;
  return {
    geometry: { vectors: elementCount(shape) / depth, depth, max_sum: MAX_SUM, fraction: FRACTION },
    data: {},
    firings: 1,
    slots: [0, 1, 2, 3].map((operand) => wholeSlot(ins, operand)),
    output: wholeTensor(outs[0]!),
  };
}
