import type { Graph, ValueId } from '../ir/types.ts';
import type { Tensor } from '../ops/definition.ts';
import { evaluateNode } from '../ops/evaluate.ts';
import { type Pass, Rewriter } from './rewrite.ts';

export const foldConstants: Pass = {
  name: 'fold-constants',
  summary: 'operators on constants are computed by their reference at compile time',
  run(graph: Graph): Graph {
    const rewriter = new Rewriter(graph);
    const known = new Map<ValueId, Tensor>();
    for (const value of graph.values.values()) {
      if (value.role === 'const') known.set(value.id, { ...value, data: value.data! });
    }
    for (const node of graph.nodes) {
      if (node.ins.some((id) => id !== null && !known.has(id))) {
        rewriter.keep(node);
        continue;
      }
      evaluateNode(graph, node, known).forEach((tensor, i) => {
        const id = node.outs[i]!;
        known.set(id, tensor);
        rewriter.redefine({ ...rewriter.value(id), role: 'const', data: tensor.data });
      });
    }
    return rewriter.finish();
  },
};
