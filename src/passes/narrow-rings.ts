/**
 * Less SRAM where a block's expansion (a pointwise conv2d) feeds a depthwise_conv2d: a stream keeps a ring of expanded
 * rows between them. Fused into one operator there is none, and the ring holds the block's narrow input. The operator
 * either keeps the expanded rows that the next window needs too (carries: no more multiply-accumulates, less memory
 * than the ring) or expands all rows under the window again for every output row (recomputes: least memory). Exact;
 * which sites are worth it is for a search to decide, so this is not one of the passes that always run.
 */
import { type Graph, type Node, type NodeOf, requireValue } from '../ir/types.ts';
import type { NodeView } from '../ops/definition.ts';
import { carriedRowsOf } from '../ops/expand_depthwise2d/halves.ts';
import { expandDepthwise2d } from '../ops/expand_depthwise2d/op.ts';
import { scaleOf, zeroPointOf } from '../ops/quantization.ts';
import { planeOf } from '../ops/rows.ts';
import { macsOf, viewOf } from '../ops/view.ts';
import { producersOf, Rewriter } from './rewrite.ts';

/** An expansion and its depthwise convolution that can become one operator. */
export interface NarrowSite {
  /** The depthwise convolution's operator in the user's model: `origin.index`. */
  readonly id: number;
  /** Multiply-accumulates that recomputing adds to one inference; 0 or less where no row is expanded twice. */
  readonly extraMacs: number;
  /** Bytes of the expanded rows under one window, which recomputing need not keep any more. */
  readonly ringBytes: number;
  /** What is kept of them when they are carried; null where windows have no rows in common. */
  readonly carriedBytes: number | null;
}

/** The sites of `graph` in execution order. */
export function narrowSites(graph: Graph): NarrowSite[] {
  return pairsOf(graph).map(({ expand, depthwise, fused }) => {
    const { ins } = viewOf(graph, depthwise);
    const { height, width, channels } = planeOf(ins[0]!.shape);
    const windowRows = (ins[1]!.shape[1]! - 1) * depthwise.attrs.dilation[0] + 1;
    const carried = carrying(fused);
    return {
      id: depthwise.origin.index,
      extraMacs: expandDepthwise2d.macs(fused) - macsOf(graph, expand) - macsOf(graph, depthwise),
      ringBytes: Math.min(windowRows, height) * width * channels,
      carriedBytes: isValid(carried) ? carriedRowsOf(carried) * width * channels : null,
    };
  });
}

/**
 * Fuses the pairs whose site is in `recomputed` or, so that rows are carried, in `carried`; one in both is recomputed.
 * Ids without a site that can be fused in that way change nothing.
 */
export function narrowRings(
  graph: Graph,
  recomputed: ReadonlySet<number>,
  carried: ReadonlySet<number> = new Set(),
): Graph {
  const rewriter = new Rewriter(graph);
  const pairs = pairsOf(graph).flatMap((pair): Pair[] => {
    const { index } = pair.depthwise.origin;
    if (recomputed.has(index)) return [pair];
    const fused = carrying(pair.fused);
    return carried.has(index) && isValid(fused) ? [{ ...pair, fused }] : [];
  });
  const expansions = new Set<Node>(pairs.map(({ expand }) => expand));
  const byDepthwise = new Map<Node, Pair>(pairs.map((pair) => [pair.depthwise, pair]));
  for (const node of graph.nodes) {
    const pair = byDepthwise.get(node);
    if (pair !== undefined) {
      const ins = operandsOf(pair.expand, pair.depthwise);
      rewriter.add('expand_depthwise2d', pair.fused.attrs, ins, node.outs, node.origin);
    } else if (!expansions.has(node)) {
      rewriter.keep(node);
    }
  }
  return rewriter.finish();
}

type Fused = NodeView<'expand_depthwise2d'>;

function carrying(fused: Fused): Fused {
  return { ...fused, attrs: { ...fused.attrs, carries: true } };
}

function isValid(fused: Fused): boolean {
  return expandDepthwise2d.verify(fused) === undefined;
}

interface Pair {
  readonly expand: NodeOf<'conv2d'>;
  readonly depthwise: NodeOf<'depthwise_conv2d'>;
  /** Both as one operator that recomputes. */
  readonly fused: Fused;
}

function pairsOf(graph: Graph): Pair[] {
  const rewriter = new Rewriter(graph);
  const producers = producersOf(graph);
  return graph.nodes.flatMap((depthwise): Pair[] => {
    const middle = depthwise.ins[0];
    if (depthwise.op !== 'depthwise_conv2d' || typeof middle !== 'number') return [];
    const expand = producers.get(middle);
    if (expand?.op !== 'conv2d' || !isExpansion(graph, expand)) return [];
    if (rewriter.isOutput(middle) || rewriter.readers(middle).length !== 1) return [];
    const fused = fusedView(graph, expand, depthwise);
    return isValid(fused) ? [{ expand, depthwise, fused }] : [];
  });
}

/** Pointwise without stride and padding, and to more channels: otherwise the input's ring is no narrower. */
function isExpansion(graph: Graph, { attrs, ins }: NodeOf<'conv2d'>): boolean {
  const [x, weights] = [requireValue(graph, ins[0]!), requireValue(graph, ins[1]!)];
  const [channels, height, width, inChannels] = weights.shape;
  return (
    height === 1 &&
    width === 1 &&
    channels! > inChannels! &&
    inChannels === x.shape[3] &&
    attrs.stride.every((step) => step === 1) &&
    attrs.padding.every((size) => size === 0)
  );
}

function fusedView(graph: Graph, expand: NodeOf<'conv2d'>, depthwise: NodeOf<'depthwise_conv2d'>): Fused {
  const middle = requireValue(graph, expand.outs[0]!);
  return {
    attrs: {
      ...depthwise.attrs,
      expandClamp: expand.attrs.clamp,
      expandedScale: scaleOf(middle),
      expandedZeroPoint: zeroPointOf(middle),
      carries: false,
    },
    ins: operandsOf(expand, depthwise).map((id) => (id === null ? null : requireValue(graph, id))),
    outs: depthwise.outs.map((id) => requireValue(graph, id)),
  };
}

/** Operands of the fused operator; absent biases have their place. */
function operandsOf(
  { ins: [x, expandWeights, expandBias = null] }: NodeOf<'conv2d'>,
  { ins: [, weights, bias = null] }: NodeOf<'depthwise_conv2d'>,
): (number | null)[] {
  return [x!, expandWeights!, expandBias, weights!, bias];
}
