/** The part of a training step's memory that adds up layer by layer. */
import { DTYPES } from '../core/dtype.ts';
import { elementCount, requireValue, type ValueId } from '../ir/types.ts';
import type { TrainingGraph } from './training-graph.ts';

/**
 * Bytes of the states, and of what the inference leaves for the way back: all of it is live between the two, so that no
 * plan is smaller. Each layer's part is its own, which makes schemes a knapsack.
 */
export function keptBytes({ graph, forwardNodes }: TrainingGraph): number {
  const read = new Set(graph.nodes.slice(forwardNodes).flatMap(({ ins }) => ins));
  const kept = new Set<ValueId>();
  for (const { ins, outs } of graph.nodes.slice(0, forwardNodes)) {
    for (const id of outs) if (read.has(id)) kept.add(id);
    for (const id of ins) if (id !== null && requireValue(graph, id).role === 'state') kept.add(id);
  }
  for (const { id, role } of graph.values.values()) if (role === 'state') kept.add(id);
  return [...kept].reduce((sum, id) => {
    const { shape, dtype } = requireValue(graph, id);
    return sum + elementCount(shape) * DTYPES[dtype].bytes;
  }, 0);
}
