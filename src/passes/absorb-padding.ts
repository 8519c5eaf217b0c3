import type { Padding } from '../ir/attributes.ts';
import type { Graph, Node, NodeOf } from '../ir/types.ts';
import { sameQuantization, zeroPointOf } from '../ops/quantization.ts';
import { type Pass, Rewriter } from './rewrite.ts';

type PadNode = NodeOf<'pad'>;

/**
 * PAD with the zero point, on rows and columns, followed only by convolutions: these pad themselves. The four pads are
 * taken as they are (asymmetric ones too). Pooling is left alone, it treats padding as absent.
 */
export const absorbPadding: Pass = {
  name: 'absorb-padding',
  summary: 'PAD before convolutions becomes their own padding',
  run(graph: Graph): Graph {
    const rewriter = new Rewriter(graph);
    const absorbed = new Map<number, PadNode>();
    for (const node of graph.nodes) {
      if (node.op === 'pad' && isAbsorbable(node, rewriter)) {
        absorbed.set(node.outs[0]!, node);
        continue;
      }
      const pad = node.ins[0] !== null && absorbed.get(node.ins[0]!);
      if (pad && (node.op === 'conv2d' || node.op === 'depthwise_conv2d')) {
        const [top, bottom, left, right] = node.attrs.padding;
        const { before, after } = pad.attrs;
        const padding: Padding = [top + before[1]!, bottom + after[1]!, left + before[2]!, right + after[2]!];
        rewriter.add(
          node.op,
          { ...node.attrs, padding },
          [pad.ins[0]!, ...node.ins.slice(1)],
          node.outs,
          node.origin,
        );
      } else {
        rewriter.keep(node);
      }
    }
    return rewriter.finish();
  },
};

function isAbsorbable(node: PadNode, rewriter: Rewriter): boolean {
  const [input] = rewriter.operands(node);
  const output = rewriter.value(node.outs[0]!);
  const { before, after, value } = node.attrs;
  const readers = rewriter.readers(output.id);
  return (
    input!.shape.length === 4 &&
    before[0] === 0 &&
    after[0] === 0 &&
    before[3] === 0 &&
    after[3] === 0 &&
    input!.dtype === 'int8' &&
    sameQuantization(input!, output) &&
    value === zeroPointOf(output) &&
    !rewriter.isOutput(output.id) &&
    readers.length > 0 &&
    readers.every((reader) => isConvolutionOf(reader, output.id))
  );
}

/** The padded value is the reader's image, not its weights or bias. */
function isConvolutionOf(reader: Node, id: number): boolean {
  return (
    (reader.op === 'conv2d' || reader.op === 'depthwise_conv2d') &&
    reader.ins[0] === id &&
    !reader.ins.slice(1).includes(id)
  );
}
