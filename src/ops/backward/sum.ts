import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { exponentOf, gradientProblem, gradientScaleProblem, storeGradient, wholeSlot } from '../gradient.ts';
import { firstProblem } from '../quantization.ts';
import { rowsOf, wholeTensor } from '../rows.ts';

type View = NodeView<'gradient_sum'>;

/** The larger gradient keeps so many bits below its own ones. */
const KEPT_BITS = 16;

/** Operands: a, its scale, b, its scale, scale of the result. */
export const gradientSum: OpDef<'gradient_sum'> = {
  name: 'gradient_sum',
  verify,
  mutates: [4],
  macs: () => 0,
  reference,
  kernels: [
    {
      name: 'gradient_sum_s8',
      isa: 'portable',
      shared: true,
      why: 'both brought to one exponent',
      refuses: () => undefined,
      bind: (view) => [bind(view)],
    },
  ],
};

function verify({ ins, outs }: View): Problem | undefined {
  const [a, aScale, b, bScale, scale] = ins;
  const { shape } = outs[0]!;
  return firstProblem(
    ...[a, b, outs[0]].map((gradient) => gradientProblem(gradient, shape)),
    ...[aScale, bScale, scale].map(gradientScaleProblem),
  );
}

/**
 * A = a + b in units of 2^e, e the smaller exponent, but no more than 16 below the larger one: then the other gradient is
 * shifted right and rounded, halves up.
 */
function reference({ ins, outs }: ReferenceView<'gradient_sum'>): void {
  const [a, aScale, b, bScale, scale] = ins;
  const [ea, eb] = [exponentOf(aScale!), exponentOf(bScale!)];
  const exponent = Math.max(Math.min(ea, eb), Math.max(ea, eb) - KEPT_BITS);
  const aligned = (value: number, e: number): number => Math.floor(value * 2 ** (e - exponent) + 0.5);
  const sums = Array.from(a!.data as Int8Array, (value, i) => {
    return aligned(value, ea) + aligned(Number(b!.data[i]!), eb);
  });
  storeGradient(sums, exponent, outs[0]!, scale!);
}

function bind({ ins, outs }: View): CallSpec {
  const { count, bytes } = rowsOf(outs[0]!);
  return {
    geometry: { elements: count * bytes },
    data: {},
    firings: 1,
    slots: [0, 1, 2, 3, 4].map((operand) => wholeSlot(ins, operand)),
    output: wholeTensor(outs[0]!),
  };
}
