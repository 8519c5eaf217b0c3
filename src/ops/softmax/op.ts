import type { NodeView, OpDef, Problem } from '../definition.ts';
import { int8Problem, scaleOf, zeroPointOf } from '../quantization.ts';
import { sameShape } from '../strided.ts';
import { softmaxKernels } from './kernels.ts';
import { softmaxReference } from './reference.ts';
import { softmaxScale } from './table.ts';

/** Exponentials are summed with 12 integer bits. */
const MAX_DEPTH = 4095;

export const softmax: OpDef<'softmax'> = {
  name: 'softmax',
  verify,
  macs: () => 0,
  reference: softmaxReference,
  kernels: softmaxKernels,
};

function verify({ attrs, ins, outs }: NodeView<'softmax'>): Problem | undefined {
  const [x, y] = [ins[0], outs[0]!];
  if (!x) return { code: 'RV2005', message: 'the input is missing' };
  const operands = int8Problem(x, 'the input') ?? int8Problem(y, 'the output');
  if (operands) return operands;
  if (scaleOf(y) !== 1 / 256 || zeroPointOf(y) !== -128) {
    return {
      code: 'RV2004',
      message: `the output has scale ${scaleOf(y)} and zero point ${zeroPointOf(y)}, not 1/256 and -128`,
      hint: 'a softmax with int8 output always has these; convert the model again',
    };
  }
  const depth = x.shape[x.shape.length - 1] ?? 0;
  if (!sameShape(x.shape, y.shape) || depth < 1) {
    return { code: 'RV2005', message: `the output is [${y.shape}] for input [${x.shape}]` };
  }
  if (depth > MAX_DEPTH) {
    return { code: 'RV2002', message: `the softmax is over ${depth} values, more than ${MAX_DEPTH}` };
  }
  // The negation also catches NaN.
  if (!(softmaxScale(attrs.beta, scaleOf(x)) > 1)) {
    return {
      code: 'RV2004',
      message: `beta ${attrs.beta} times scale ${scaleOf(x)} is too small for a softmax`,
    };
  }
  return undefined;
}
