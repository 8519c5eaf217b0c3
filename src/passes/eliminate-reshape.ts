import type { Graph, TensorType } from '../ir/types.ts';
import { sameQuantization } from '../ops/quantization.ts';
import { type Pass, Rewriter } from './rewrite.ts';

export const eliminateReshape: Pass = {
  name: 'eliminate-reshape',
  summary: 'chains of reshapes become one, reshapes to the same type vanish',
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
      // An output of the graph keeps its own name and type.
      if (sameType(source, output) && !rewriter.isOutput(output.id)) {
        rewriter.forward(output.id, source.id);
      } else {
        sources.set(output.id, source.id);
        rewriter.add('reshape', {}, [source.id], [output.id], node.origin);
      }
    }
    return rewriter.finish();
  },
};

/** A reshape keeps raw values whatever the quantisations say, so one that relabels them must stay. */
function sameType(a: TensorType, b: TensorType): boolean {
  const sameShape = a.shape.length === b.shape.length && a.shape.every((size, i) => size === b.shape[i]);
  const unquantised = a.quantization === undefined && b.quantization === undefined;
  return sameShape && (unquantised || sameQuantization(a, b));
}
