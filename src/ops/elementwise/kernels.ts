import type { Value } from '../../ir/types.ts';
import type { Kernel, NodeView } from '../definition.ts';
import { ARITHMETIC, type ElementwiseOp, type Operands } from './arithmetic.ts';
import { bindRows, rowGeometry } from './rows.ts';
import { elementwiseSimdKernels } from './simd.ts';

/** Tried in order; `NAME_s8` walks both operands with strides. */
export function elementwiseKernels<K extends ElementwiseOp>(op: K): readonly Kernel<K>[] {
  return [
    ...elementwiseSimdKernels(op),
    {
      name: `${op}_s8`,
      isa: 'portable',
      why: 'any broadcasting of either operand',
      refuses: () => undefined,
      bind: (view) => [
        bindRows(view, { ...rowGeometry(view), ...ARITHMETIC[op].parameters(operandsOf(view)) }),
      ],
    },
  ];
}

function operandsOf({ attrs, ins, outs }: NodeView<ElementwiseOp>): Operands {
  const [a, b] = ins as [Value, Value];
  return { a, b, y: outs[0]!, attrs };
}
