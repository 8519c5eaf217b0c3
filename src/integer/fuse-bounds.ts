/** Clamps of their own, on float32, become bounds of the operator before them. */
import type { Clamp, ClampAttributes } from '../ir/attributes.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph, Node, ValueId } from '../ir/types.ts';

/**
 * The same function with fewer operators.
 * @param keeps values that stay
 */
export function fuseBounds(graph: Graph, keeps: (id: ValueId) => boolean = () => false): Graph {
  const readers = new Map<ValueId, number>();
  const ids = [...graph.nodes.flatMap(({ ins }) => ins), ...graph.outputs];
  for (const id of ids) if (id !== null) readers.set(id, (readers.get(id) ?? 0) + 1);
  const nodes: Node[] = [];
  const places = new Map<ValueId, number>();
  for (const node of graph.nodes) {
    const id = node.ins[0]!;
    const fuses = node.op === 'relu' && readers.get(id) === 1 && !keeps(id);
    const place = fuses ? places.get(id) : undefined;
    const before = place === undefined ? undefined : nodes[place];
    if (node.op === 'relu' && before !== undefined && 'clamp' in before.attrs) {
      const clamp = both((before.attrs as ClampAttributes).clamp, node.attrs.clamp);
      nodes[place!] = { ...before, attrs: { ...before.attrs, clamp }, outs: node.outs } as Node;
      places.set(node.outs[0]!, place!);
    } else {
      for (const out of node.outs) places.set(out, nodes.length);
      nodes.push(node);
    }
  }
  const builder = GraphBuilder.from(graph);
  for (const node of nodes) builder.push(node);
  return builder.build(graph.outputs);
}

/** The bounds `first`, and `second` behind them. */
function both([low, high]: Clamp, [lowest, highest]: Clamp): Clamp {
  const within = (x: number): number => Math.min(highest, Math.max(lowest, x));
  return [within(low), within(high)];
}
