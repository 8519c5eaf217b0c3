import type { Value } from '../../ir/types.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { ARITHMETIC, type ElementwiseOp } from './arithmetic.ts';
import { elementwiseDspKernels } from './dsp.ts';
import { elementwiseMveKernels } from './mve.ts';
import { bindRows, rowGeometry } from './rows.ts';
import { elementwiseSimdKernels } from './simd.ts';

/** Tried in order; the last one, `NAME_s8`, walks both operands with strides. */
export function elementwiseKernels<K extends ElementwiseOp>(op: K): readonly Kernel<K>[] {
  return [
    ...elementwiseMveKernels(op, (view) => bind(op, view)),
    ...elementwiseSimdKernels(op),
    ...elementwiseDspKernels(op),
    {
      name: `${op}_s8`,
      isa: 'portable',
      why: 'any broadcasting of either operand',
      refuses: () => undefined,
      bind: (view) => bind(op, view),
    },
  ];
}

function bind(op: ElementwiseOp, view: NodeView<ElementwiseOp>): CallSpec[] {
  const [a, b] = view.ins as [Value, Value];
  const parameters = ARITHMETIC[op].parameters({ a, b, y: view.outs[0]!, attrs: view.attrs });
  return [bindRows(view, { ...rowGeometry(view), ...parameters })];
}
