import type { Value } from '../../ir/types.ts';
import type { Kernel } from '../definition.ts';
import { ARITHMETIC, type ElementwiseOp } from './arithmetic.ts';
import { bindRows, rowGeometry } from './bind.ts';
import { elementwiseDspKernels } from './dsp.ts';

/** Tried in order; the last one, `NAME_s8`, walks both operands with strides. */
export function elementwiseKernels<K extends ElementwiseOp>(op: K): readonly Kernel<K>[] {
  return [
    ...elementwiseDspKernels(op),
    {
      name: `${op}_s8`,
      isa: 'portable',
      why: 'any broadcasting of either operand',
      refuses: () => undefined,
      bind(view) {
        const [a, b] = view.ins as [Value, Value];
        const y = view.outs[0]!;
        const parameters = ARITHMETIC[op].parameters({ a, b, y, attrs: view.attrs });
        return [bindRows(view, { ...rowGeometry(a, b, y), ...parameters })];
      },
    },
  ];
}
