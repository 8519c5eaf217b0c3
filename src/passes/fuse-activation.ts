import { clamp } from '../core/fixedpoint.ts';
import type { Clamp, ClampAttributes, OpName } from '../ir/attributes.ts';
import type { Graph, Node, Value } from '../ir/types.ts';
import type { ReferenceView } from '../ops/definition.ts';
import { sameQuantization } from '../ops/quantization.ts';
import { definitionOf } from '../ops/view.ts';
import { type Pass, producersOf, Rewriter } from './rewrite.ts';

/** Operators that are a function of one element. */
const UNARY: ReadonlySet<OpName> = new Set(['relu', 'leaky_relu', 'quantize']);

/**
 * An activation that turns out to be a clamp becomes the clamp of the operator before it. Whether it is one is found by
 * evaluating its reference on all 256 raw values, so rescaling ones are never mistaken for it.
 */
export const fuseActivation: Pass = {
  name: 'fuse-activation',
  summary: 'activations that only clamp become the bounds of the operator before them',
  run(graph: Graph): Graph {
    let fused = graph;
    for (;;) {
      const next = fuseOnce(fused);
      if (next === fused) return fused;
      fused = next;
    }
  },
};

/** Fuses the activations whose operand is not itself fused in this round; the same graph when there are none. */
function fuseOnce(graph: Graph): Graph {
  const rewriter = new Rewriter(graph);
  const producers = producersOf(graph);
  const byProducer = new Map<Node, { node: Node; bounds: Clamp }>();
  const dropped = new Set<Node>();
  for (const node of graph.nodes) {
    const producer = producers.get(node.ins[0] ?? -1);
    if (producer === undefined || dropped.has(producer) || !UNARY.has(node.op)) continue;
    const input = rewriter.value(node.ins[0]!);
    if (
      !('clamp' in producer.attrs) ||
      rewriter.isOutput(input.id) ||
      rewriter.readers(input.id).length !== 1
    )
      continue;
    const bounds = boundsOf(node, input, rewriter.value(node.outs[0]!));
    if (bounds === null) continue;
    byProducer.set(producer, { node, bounds });
    dropped.add(node);
  }
  if (dropped.size === 0) return graph;
  for (const node of graph.nodes) {
    const activation = byProducer.get(node);
    if (activation !== undefined) rewriter.keep(withBounds(node, activation.node.outs, activation.bounds));
    else if (!dropped.has(node)) rewriter.keep(node);
  }
  return rewriter.finish();
}

/** The node with another output and its own bounds clamped again. */
function withBounds(node: Node, outs: Node['outs'], [lowest, highest]: Clamp): Node {
  const own = (node.attrs as ClampAttributes).clamp;
  const bounds: Clamp = [clamp(own[0], lowest, highest), clamp(own[1], lowest, highest)];
  return { ...node, outs, attrs: { ...node.attrs, clamp: bounds } } as Node;
}

/** The bounds of `node` if it maps every raw value q to clamp(q, lowest, highest) and keeps the quantisation. */
function boundsOf(node: Node, input: Value, output: Value): Clamp | null {
  if (input.dtype !== 'int8' || output.dtype !== 'int8' || !sameQuantization(input, output)) return null;
  const x = { ...input, shape: [256], data: Int8Array.from({ length: 256 }, (_, i) => i - 128) };
  const y = { ...output, shape: [256], data: new Int8Array(256) };
  definitionOf(node).reference({ attrs: node.attrs, ins: [x], outs: [y] } as ReferenceView<OpName>);
  const [lowest, highest] = [y.data[0]!, y.data[255]!];
  return x.data.every((q, i) => y.data[i] === clamp(q, lowest, highest)) ? [lowest, highest] : null;
}
