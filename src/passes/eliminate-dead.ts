import type { Graph } from '../ir/types.ts';
import { definitionOf } from '../ops/view.ts';
import { type Pass, Rewriter } from './rewrite.ts';

export const eliminateDead: Pass = {
  name: 'eliminate-dead',
  summary: 'operators whose results reach no output, and that change no state, are removed',
  run(graph: Graph): Graph {
    const needed = new Set(graph.outputs);
    const kept = graph.nodes.toReversed().filter((node) => {
      const changesState = (definitionOf(node).mutates ?? []).some((operand) => node.ins[operand] != null);
      if (!changesState && !node.outs.some((id) => needed.has(id))) return false;
      for (const id of node.ins) if (id !== null) needed.add(id);
      return true;
    });
    const rewriter = new Rewriter(graph);
    for (const node of kept.toReversed()) rewriter.keep(node);
    return rewriter.finish();
  },
};
