import type { Graph } from '../ir/types.ts';
import { type Pass, producersOf, Rewriter } from './rewrite.ts';

/** Float inputs that are only quantised, and outputs that are only dequantised, become the int8 tensors themselves. */
export const stripBoundaryQuantize: Pass = {
  name: 'strip-boundary-quantize',
  summary: 'QUANTIZE of a float input and DEQUANTIZE of an output are removed: the firmware speaks int8',
  run(graph: Graph): Graph {
    const rewriter = new Rewriter(graph);
    const producers = producersOf(graph);
    const stripped = new Set<number>();
    graph.inputs.forEach((id, index) => {
      const readers = rewriter.readers(id);
      const [quantize] = readers;
      if (readers.length !== 1 || quantize?.op !== 'quantize' || rewriter.isOutput(id)) return;
      if (rewriter.value(id).dtype !== 'float32') return;
      rewriter.replaceInput(index, quantize.outs[0]!);
      stripped.add(quantize.outs[0]!);
    });
    for (const id of graph.outputs) {
      const dequantize = producers.get(id);
      const source = dequantize?.ins[0];
      if (dequantize?.op === 'dequantize' && source !== null && source !== undefined)
        rewriter.forward(id, source);
    }
    for (const node of graph.nodes) if (!stripped.has(node.outs[0]!)) rewriter.keep(node);
    return rewriter.finish();
  },
};
