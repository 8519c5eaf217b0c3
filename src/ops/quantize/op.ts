import { clamp, quantizeMultiplier, requantize, roundHalfAway } from '../../core/fixedpoint.ts';
import { elementCount, type TensorType } from '../../ir/types.ts';
import { byteProblem, byteRange } from '../bytes.ts';
import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { multiplierProblem, scaleOf, zeroPointOf } from '../quantization.ts';
import { eachRow } from '../rows.ts';
import { type Lookup, lookupKernels, lookupReference, sameShapeProblem } from '../unary/lookup.ts';

/** 8 bits to 8 bits: MBQM(q - Z_in, M, s) + Z_out, m = S_in / S_out. */
const requantization: Lookup<'quantize'> = {
  name: 'quantize',
  problem: (_, x, y) => multiplierProblem([scaleOf(x) / scaleOf(y)]),
  evaluate(_, x, y) {
    const multiplier = quantizeMultiplier(scaleOf(x) / scaleOf(y));
    const [zeroIn, zeroOut] = [zeroPointOf(x), zeroPointOf(y)];
    return (q) => requantize(q - zeroIn, multiplier) + zeroOut;
  },
};

export const quantize: OpDef<'quantize'> = {
  name: 'quantize',
  verify,
  macs: () => 0,
  reference,
  kernels: [
    ...lookupKernels(requantization),
    {
      name: 'quantize_f32_s8',
      isa: 'portable',
      why: 'from float32',
      refuses: ({ ins }) => (ins[0]!.dtype === 'float32' ? undefined : 'the input is not float32'),
      bind: bindFloat,
    },
  ],
};

function verify({ attrs, ins, outs }: NodeView<'quantize'>): Problem | undefined {
  const [x, y] = [ins[0], outs[0]];
  if (!x || !y) return { code: 'RV2005', message: 'an operand is missing' };
  const problem = sameShapeProblem(x, y) ?? byteProblem(y, 'the output');
  if (problem || x.dtype === 'float32') return problem;
  return byteProblem(x, 'the input') ?? requantization.problem(attrs, x, y);
}

/** From float32: clamp(round(x / S) + Z), the quotient in float32, halves away from zero, NaN to the lowest value. */
function reference(view: ReferenceView<'quantize'>): void {
  const [x, y] = [view.ins[0]!, view.outs[0]!];
  if (x.dtype !== 'float32') {
    lookupReference(requantization, view);
    return;
  }
  const [lowest, highest] = byteRange(y);
  const [scale, zeroPoint] = [scaleOf(y), zeroPointOf(y)];
  for (let i = 0; i < y.data.length; ++i) {
    const steps = Math.fround((x.data[i] as number) / scale);
    y.data[i] = Number.isNaN(steps) ? lowest : clamp(roundHalfAway(steps) + zeroPoint, lowest, highest);
  }
}

function bindFloat({ ins, outs }: NodeView<'quantize'>): CallSpec[] {
  const [x, y] = [ins[0]!, outs[0]!];
  const output = eachRow(y);
  return [
    {
      geometry: { size: elementCount(y.shape) / output.rows.length, ...byteGeometry(y) },
      data: { scale: { role: 'table', data: Float32Array.of(scaleOf(y)) } },
      firings: output.rows.length,
      slots: [{ operand: 0, ...eachRow(x) }],
      output,
    },
  ];
}

/** How a kernel reads int8 and uint8 alike: bytes with the sign bit flipped count from the lowest value. */
export function byteGeometry(type: TensorType): { zero_point: number; sign_bit: number } {
  const [lowest] = byteRange(type);
  return { zero_point: zeroPointOf(type) - lowest, sign_bit: -lowest };
}
