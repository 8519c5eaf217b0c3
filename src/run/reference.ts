/** The definition: runs a graph operator by operator with the reference of each. Slow, exact, and shares nothing with C. */
import { fail } from '../core/diagnostics.ts';
import { asBytes, fromBytes } from '../core/dtype.ts';
import { elementCount, type Graph, type Node, requireValue, type ValueId } from '../ir/types.ts';
import type { Tensor } from '../ops/definition.ts';
import { evaluateNode } from '../ops/evaluate.ts';

/** Called after every node with its outputs, in execution order. */
export type NodeObserver = (node: Node, outputs: readonly Tensor[]) => void;

/** What a graph keeps from one run to the next, by value; operators change the data in place. */
export type States = ReadonlyMap<ValueId, Tensor>;

/** The states of `graph` as they begin. */
export function initialStates(graph: Graph): States {
  const states = [...graph.values.values()].filter(({ role }) => role === 'state');
  return new Map(states.map((value) => [value.id, { ...value, data: value.data!.slice() }]));
}

/**
 * One run.
 * @param inputs raw bytes of each graph input, row-major, little-endian
 * @param states what persists; without, every run begins anew
 * @returns raw bytes of each graph output
 */
export function runReference(
  graph: Graph,
  inputs: readonly Uint8Array[],
  observe?: NodeObserver,
  states: States = initialStates(graph),
): Uint8Array[] {
  const tensors = new Map<ValueId, Tensor>();
  graph.inputs.forEach((id, i) => {
    const value = requireValue(graph, id);
    const data = fromBytes(value.dtype, inputs[i] ?? new Uint8Array());
    if (data.length !== elementCount(value.shape)) {
      fail('RV3002', `input ${i} has ${data.length} elements, the model takes ${elementCount(value.shape)}`);
    }
    tensors.set(id, { ...value, data });
  });
  for (const value of graph.values.values()) {
    if (value.role === 'const') tensors.set(value.id, { ...value, data: value.data! });
  }
  for (const [id, tensor] of states) tensors.set(id, tensor);
  for (const node of graph.nodes) {
    const outputs = evaluateNode(graph, node, tensors);
    for (const [i, id] of node.outs.entries()) tensors.set(id, outputs[i]!);
    observe?.(node, outputs);
  }
  return graph.outputs.map((id) => asBytes(tensors.get(id)!.data).slice());
}
