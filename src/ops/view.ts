import type { OpName } from '../ir/attributes.ts';
import { type Graph, type Node, type NodeOf, requireValue } from '../ir/types.ts';
import type { NodeView, OpDef } from './definition.ts';
import { OPS } from './table.ts';

/** The definition of a node's operator, typed for use together with `viewOf` of the same node. */
export function definitionOf(node: Node): OpDef<OpName> {
  return OPS[node.op] as OpDef<OpName>;
}

export function viewOf(graph: Graph, node: Node): NodeView<OpName> {
  return {
    attrs: (node as NodeOf<OpName>).attrs,
    ins: node.ins.map((id) => (id === null ? null : requireValue(graph, id))),
    outs: node.outs.map((id) => requireValue(graph, id)),
  };
}

export function macsOf(graph: Graph, node: Node): number {
  return definitionOf(node).macs(viewOf(graph, node));
}
