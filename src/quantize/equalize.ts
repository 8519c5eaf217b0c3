/**
 * Cross-layer equalisation (Nagel and others, 2019, section 4.1): where only an operator without upper bound lies between
 * two sets of weights, channel c of the first is divided and of the second multiplied by s[c] = sqrt(peak1[c] / peak2[c]).
 */

import { affineOf, channelAxis, channelPeaks, isWeighted } from '../integer/weights.ts';
import type { Clamp } from '../ir/attributes.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph, Node, ValueId } from '../ir/types.ts';
import { usesOf } from '../passes/rewrite.ts';

/** Chains of three and more need several rounds. */
const ROUNDS = 8;

/** The same function with weights of more even size; the graph itself where there is no pair. */
export function equalize(graph: Graph): Graph {
  const pairs = pairsOf(graph);
  if (pairs.length === 0) return graph;
  const data = new Map<ValueId, Float32Array>();
  const own = (id: ValueId): Float32Array => {
    const known = data.get(id) ?? (graph.values.get(id)!.data as Float32Array).slice();
    data.set(id, known);
    return known;
  };
  for (let round = 0; round < ROUNDS; ++round) for (const pair of pairs) balance(graph, pair, own);
  const builder = GraphBuilder.from(graph);
  for (const [id, values] of data) builder.redefine({ ...graph.values.get(id)!, data: values });
  for (const node of graph.nodes) builder.push(node);
  return builder.build(graph.outputs);
}

type Pair = readonly [first: Node, second: Node];

function pairsOf(graph: Graph): Pair[] {
  const uses = usesOf(graph);
  const parametersAlone = (node: Node): boolean =>
    node.ins.slice(1).every((id) => id === null || uses.get(id)!.length === 1);
  return graph.nodes.flatMap((first): Pair[] => {
    const [out] = first.outs;
    const readers = uses.get(out!) ?? [];
    const [second] = readers;
    if (!isWeighted(first) || second === undefined || readers.length > 1 || !isWeighted(second)) return [];
    if (second.ins[0] !== out || graph.outputs.includes(out!) || !isHomogeneous(first.attrs.clamp)) return [];
    if (!parametersAlone(first) || !parametersAlone(second)) return [];
    const { shape } = affineOf(graph, first).value;
    return inputsOf(graph, second) === shape[channelAxis(first).axis] ? [[first, second]] : [];
  });
}

/** f(s x) = s f(x) for every s > 0. */
function isHomogeneous(clamp: Clamp): boolean {
  return clamp.every((bound) => bound === 0 || !Number.isFinite(bound));
}

/** Input channels, of operators that read one channel at a weight; undefined of all others. */
function inputsOf(graph: Graph, node: Node): number | undefined {
  const { shape } = affineOf(graph, node).value;
  const channels = graph.values.get(node.ins[0]!)!.shape.at(-1);
  return shape.at(-1) === channels ? channels : undefined;
}

function balance(graph: Graph, [first, second]: Pair, own: (id: ValueId) => Float32Array): void {
  const [a, b] = [affineOf(graph, first).value, affineOf(graph, second).value];
  const axis = channelAxis(first);
  const [before, after] = [own(a.id), own(b.id)];
  const peaks = channelPeaks(before, a.shape, axis);
  const depth = b.shape.at(-1)!;
  const reads = new Float64Array(peaks.length);
  for (let i = 0; i < after.length; ++i) {
    reads[i % depth] = Math.max(reads[i % depth]!, Math.abs(after[i]!));
  }
  const scales = peaks.map((peak, c) => (peak > 0 && reads[c]! > 0 ? Math.sqrt(peak / reads[c]!) : 1));
  for (let i = 0; i < before.length; ++i) before[i]! /= scales[axis.channelOf(a.shape, i)]!;
  for (let i = 0; i < after.length; ++i) after[i]! *= scales[i % depth]!;
  const bias = first.ins[2];
  if (bias == null) return;
  const biases = own(bias);
  for (let c = 0; c < biases.length; ++c) biases[c]! /= scales[c]!;
}
