import { GraphBuilder } from '../../src/ir/builder.ts';
import type { Graph, Node, ValueId } from '../../src/ir/types.ts';

/** Independent graphs as one, with the inputs and outputs of all in order: one firmware runs them all. */
export function merged(graphs: readonly Graph[]): Graph {
  const builder = new GraphBuilder('merged');
  const outputs = graphs.flatMap((graph, g) => {
    const ids = new Map<ValueId, ValueId>();
    for (const { id, name, role, data, ...type } of graph.values.values()) {
      const own = `${name}_${g}`;
      ids.set(
        id,
        role === 'input'
          ? builder.input(own, type)
          : role === 'const'
            ? builder.constant(own, type, data!)
            : builder.activation(own, type),
      );
    }
    const idOf = (id: ValueId): ValueId => ids.get(id)!;
    for (const node of graph.nodes) {
      const ins = node.ins.map((id) => (id === null ? null : idOf(id)));
      builder.push({ ...node, ins, outs: node.outs.map(idOf) } as Node);
    }
    return graph.outputs.map(idOf);
  });
  return builder.build(outputs);
}
