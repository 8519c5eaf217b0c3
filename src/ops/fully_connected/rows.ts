/** The rows of a fully connected layer: one vector of the batch at each firing. */
import { elementCount } from '../../ir/types.ts';
import type { CallSpec, NodeView } from '../definition.ts';
import { vectors } from '../rows.ts';

export function vectorRows({
  ins,
  outs,
}: NodeView<'fully_connected'>): Pick<CallSpec, 'firings' | 'slots' | 'output'> {
  const [outputs, inputs] = ins[1]!.shape as [number, number];
  const batch = elementCount(outs[0]!.shape) / outputs;
  return {
    firings: batch,
    slots: [{ operand: 0, ...vectors(batch, inputs) }],
    output: vectors(batch, outputs),
  };
}
