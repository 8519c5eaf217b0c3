/** How large a network is. */

import { elementCount } from '../ir/types.ts';
import { hostProgram } from '../run/engine/engine.ts';
import { MOMENTS, type Trainable } from './evaluation.ts';

/** Multiply-accumulates of one inference (of batch normalisation none: it is folded), and elements that are trained. */
export function sizeOf(network: Trainable): { readonly macs: number; readonly parameters: number } {
  const graph = network({ batch: 1, mode: 'run' });
  const { calls } = hostProgram(graph);
  const parameters = [...graph.values.values()].filter(
    ({ role, name }) => role === 'state' && !name.endsWith(MOMENTS),
  );
  return {
    macs: calls.reduce((sum, call) => sum + call.macs, 0),
    parameters: parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0),
  };
}
