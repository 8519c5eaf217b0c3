import { GraphBuilder } from '../../src/ir/builder.ts';
import type { Graph, ValueId } from '../../src/ir/types.ts';

/** All graphs side by side in one, inputs and outputs in their order: one program can then run them all. */
export function joined(name: string, graphs: readonly Graph[]): Graph {
  const builder = new GraphBuilder(name);
  const outputs: ValueId[] = [];
  graphs.forEach((graph, g) => {
    const ids = new Map<ValueId, ValueId>();
    const renamed = (id: ValueId): ValueId => {
      const known = ids.get(id);
      if (known !== undefined) return known;
      const { id: _, name: own, role, data, ...type } = graph.values.get(id)!;
      const title = `${own} of ${g}`;
      const added =
        data !== undefined
          ? builder[role === 'state' ? 'state' : 'constant'](title, type, data)
          : role === 'input'
            ? builder.input(title, type)
            : builder.activation(title, type);
      ids.set(id, added);
      return added;
    };
    graph.inputs.forEach(renamed);
    for (const node of graph.nodes) {
      const ins = node.ins.map((id) => (id === null ? null : renamed(id)));
      builder.push({ ...node, ins, outs: node.outs.map(renamed) });
    }
    outputs.push(...graph.outputs.map(renamed));
  });
  return builder.build(outputs);
}
