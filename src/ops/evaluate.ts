import { allocate } from '../core/dtype.ts';
import type { OpName } from '../ir/attributes.ts';
import { elementCount, type Graph, type Node, requireValue, type ValueId } from '../ir/types.ts';
import type { ReferenceView, Tensor } from './definition.ts';
import { definitionOf } from './view.ts';

/** Runs the reference of one node on tensors that are known; the definition of what the node computes. */
export function evaluateNode(graph: Graph, node: Node, tensors: ReadonlyMap<ValueId, Tensor>): Tensor[] {
  const outs = node.outs.map((id) => {
    const value = requireValue(graph, id);
    return { ...value, data: allocate(value.dtype, elementCount(value.shape)) };
  });
  const view = {
    attrs: node.attrs,
    ins: node.ins.map((id) => (id === null ? null : tensors.get(id)!)),
    outs,
  } as ReferenceView<OpName>;
  definitionOf(node).reference(view);
  return outs;
}
