import { GraphBuilder } from '../../ir/builder.ts';
import type { TensorType } from '../../ir/types.ts';
import { float32, int8, type OpCase } from '../case.ts';

export const cases: readonly OpCase[] = [
  reshaped('flatten', int8([1, 3, 4, 5]), int8([1, 60])),
  reshaped('to rank 4, batch 2', int8([2, 24]), int8([2, 2, 3, 4])),
  reshaped('squeeze', int8([1, 1, 1, 7]), int8([7])),
  reshaped('expand', int8([6]), int8([1, 1, 6, 1])),
  reshaped('rank 5 and another zero point', int8([2, 2, 2, 2, 2], 0.1, 3), int8([4, 8], 0.1, -4)),
  reshaped('float32', float32([2, 3, 4]), float32([6, 4])),
];

/** A reshape between an input and an operator: alone it leaves nothing to run. */
function reshaped(name: string, x: TensorType, y: TensorType): OpCase {
  const builder = new GraphBuilder('reshape');
  const input = builder.input('x', x);
  const viewed = builder.activation('viewed', y);
  const out = builder.activation('y', int8(y.shape, 0.07, 5));
  builder.node('reshape', {}, [input], [viewed], { index: 0, op: 'reshape', name });
  builder.node('quantize', {}, [viewed], [out], { index: 1, op: 'quantize', name });
  return { name, graph: builder.build([out]) };
}
