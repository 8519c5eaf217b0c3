import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { exponentOf, gradientProblem, gradientScaleProblem, storeGradient, wholeSlot } from '../gradient.ts';
import { firstProblem } from '../quantization.ts';
import { rowsOf, wholeTensor } from '../rows.ts';

type View = NodeView<'unary_gradient'>;

/** More would leave the exponents of float32. */
const MAX_FRACTION = 300;

/** Of a function of one byte. Operands: x, g, its scale, scale of the result. */
export const unaryGradient: OpDef<'unary_gradient'> = {
  name: 'unary_gradient',
  verify,
  mutates: [3],
  macs: () => 0,
  reference,
  kernels: [
    {
      name: 'unary_gradient_s8',
      isa: 'portable',
      shared: true,
      why: 'derivatives from a table of 256',
      refuses: () => undefined,
      bind: (view) => [bind(view)],
    },
  ],
};

function verify({ attrs: { derivative, fraction }, ins, outs }: View): Problem | undefined {
  const [x, g, gScale, scale] = ins;
  if (x?.dtype !== 'int8') return { code: 'RV2003', message: 'the input is not int8' };
  const isSmall = (value: number): boolean => Number.isInteger(value) && Math.abs(value) <= 127;
  if (derivative.length !== 256 || !derivative.every(isSmall)) {
    return { code: 'RV2002', message: 'derivatives are 256 integers from -127 to 127' };
  }
  if (!Number.isInteger(fraction) || Math.abs(fraction) > MAX_FRACTION) {
    return { code: 'RV2002', message: `derivatives with ${fraction} fraction bits` };
  }
  return firstProblem(
    gradientProblem(g, x.shape),
    gradientProblem(outs[0], x.shape),
    gradientScaleProblem(gScale),
    gradientScaleProblem(scale),
  );
}

/** A = g * derivative[x + 128], exponent that of g less the fraction bits. */
function reference({ attrs, ins, outs }: ReferenceView<'unary_gradient'>): void {
  const [x, g, gScale, scale] = ins;
  const values = g!.data as Int8Array;
  const products = Array.from(values, (value, i) => value * attrs.derivative[Number(x!.data[i]!) + 128]!);
  storeGradient(products, exponentOf(gScale!) - attrs.fraction, outs[0]!, scale!);
}

function bind({ attrs, ins, outs }: View): CallSpec {
  const { count, bytes } = rowsOf(outs[0]!);
  return {
    geometry: { elements: count * bytes, fraction: attrs.fraction },
    data: { derivative: { role: 'table', data: Int8Array.from(attrs.derivative) } },
    firings: 1,
    slots: [0, 1, 2, 3].map((operand) => wholeSlot(ins, operand)),
    output: wholeTensor(outs[0]!),
  };
}
