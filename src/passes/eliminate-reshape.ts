import type { Graph } from '../ir/types.ts';
import { type Pass, Rewriter } from './rewrite.ts';

export const eliminateReshape: Pass = {
  name: 'eliminate-reshape',
  summary: 'chains of reshapes become one, reshapes to the same shape vanish',
  run(graph: Graph): Graph {
    const rewriter = new Rewriter(graph);
    const sources = new Map<number, number>();
    for (const node of graph.nodes) {
      if (node.op !== 'reshape') {
        rewriter.keep(node);
        continue;
      }
      const [input] = rewriter.operands(node);
      const source = rewriter.value(sources.get(input!.id) ?? input!.id);
      const output = rewriter.value(node.outs[0]!);
      const same =
        source.shape.length === output.shape.length && source.shape.every((n, i) => n === output.shape[i]);
      // An output of the graph keeps its own name and type.
      if (same && !rewriter.isOutput(output.id)) {
        rewriter.forward(output.id, source.id);
      } else {
        sources.set(output.id, source.id);
        rewriter.add('reshape', {}, [source.id], [output.id], node.origin);
      }
    }
    return rewriter.finish();
  },
};
