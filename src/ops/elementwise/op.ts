import type { NodeView, OpDef, Problem, ReferenceView, Tensor } from '../definition.ts';
import { firstProblem, int8Problem } from '../quantization.ts';
import { broadcastShape, broadcastStrides, sameShape, stridedOffsets } from '../strided.ts';
import { ARITHMETIC, type ElementwiseOp } from './arithmetic.ts';
import { elementwiseKernels } from './kernels.ts';

export const add = elementwise('add');
export const sub = elementwise('sub');
export const mul = elementwise('mul');
export const maximum = elementwise('maximum');
export const minimum = elementwise('minimum');
export const prelu = elementwise('prelu');

function elementwise<K extends ElementwiseOp>(name: K): OpDef<K> {
  return {
    name,
    verify: (view) => verify(name, view),
    macs: () => 0,
    reference: (view) => reference(name, view),
    kernels: elementwiseKernels(name),
  };
}

function verify(op: ElementwiseOp, { attrs, ins, outs }: NodeView<ElementwiseOp>): Problem | undefined {
  const [a, b] = ins;
  const y = outs[0];
  if (!a || !b || !y) return { code: 'RV2005', message: 'an operand is missing' };
  const shape = broadcastShape(a.shape, b.shape);
  if (shape === undefined || !sameShape(shape, y.shape)) {
    return {
      code: 'RV2005',
      message: `[${a.shape}] and [${b.shape}] do not broadcast to the output's shape [${y.shape}]`,
    };
  }
  return (
    firstProblem(
      int8Problem(a, 'the first input'),
      int8Problem(b, 'the second input'),
      int8Problem(y, 'the output'),
    ) ?? ARITHMETIC[op].problem({ a, b, y, attrs })
  );
}

function reference(op: ElementwiseOp, { attrs, ins, outs }: ReferenceView<ElementwiseOp>): void {
  const [a, b, y] = [ins[0]!, ins[1]!, outs[0]!];
  const evaluate = ARITHMETIC[op].evaluate({ a, b, y, attrs });
  const fromA = spread(a, y);
  const fromB = spread(b, y);
  for (let i = 0; i < y.data.length; ++i) {
    y.data[i] = evaluate(a.data[fromA[i]!] as number, b.data[fromB[i]!] as number);
  }
}

function spread(operand: Tensor, y: Tensor): Int32Array {
  return stridedOffsets(y.shape, broadcastStrides(operand.shape, y.shape));
}
