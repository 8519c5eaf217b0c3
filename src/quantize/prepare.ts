/** A float32 graph as quantisation wants it: constant parameters, one item at a time, normalisation and activations folded. */
import { fail } from '../core/diagnostics.ts';
import { fuseBounds } from '../integer/fuse-bounds.ts';
import { type Affine, affineOf, channelAxis, isWeighted } from '../integer/weights.ts';
import type { Clamp } from '../ir/attributes.ts';
import { GraphBuilder } from '../ir/builder.ts';
import {
  describeOrigin,
  type Graph,
  type Node,
  requireValue,
  type Value,
  type ValueId,
} from '../ir/types.ts';
import { UNBOUNDED } from '../ops/float.ts';
import { eliminateDead } from '../passes/eliminate-dead.ts';
import { producersOf, usesOf } from '../passes/rewrite.ts';

/** The graph that is calibrated and quantised; computes what `graph` does, up to rounding. */
export function prepare(graph: Graph): Graph {
  return eliminateDead.run(fuseBounds(foldAffine(rebatched(graph))));
}

/** The graph with constant parameters, for one item. */
export function rebatched(graph: Graph): Graph {
  return oneItem(eliminateDead.run(freeze(graph)));
}

/**
 * States become constants.
 * @param stateOf the elements of a state by name, e.g. `(name) => engine.state(name)`; default: what it begins with
 */
export function freeze(graph: Graph, stateOf?: (name: string) => Float32Array): Graph {
  const builder = GraphBuilder.from(graph);
  for (const value of graph.values.values()) {
    if (value.role !== 'state') continue;
    const data = stateOf === undefined ? value.data! : stateOf(value.name).slice();
    builder.redefine({ ...value, role: 'const', data });
  }
  for (const node of graph.nodes) builder.push(node);
  return builder.build(graph.outputs);
}

/** A batch becomes one item: the leading dimension of all that is computed. */
function oneItem(graph: Graph): Graph {
  const batch = requireValue(graph, graph.inputs[0]!).shape[0] ?? 1;
  if (batch === 1) return graph;
  const builder = GraphBuilder.from(graph);
  for (const value of graph.values.values()) {
    if (value.data !== undefined) continue;
    if (value.shape[0] !== batch) {
      fail('RV2005', `"${value.name}" is [${value.shape}] in a batch of ${batch}`, {
        origin: graph.name,
        hint: 'build the network with a batch of 1',
      });
    }
    builder.redefine({ ...value, shape: [1, ...value.shape.slice(1)] });
  }
  for (const node of graph.nodes) builder.push(node);
  return builder.build(graph.outputs);
}

/** y = factor * x + offset by channel, into the weights before it; normalisation elsewhere becomes a product and a sum. */
function foldAffine(graph: Graph): Graph {
  const folded = foldAffineOnce(graph);
  return folded === graph ? graph : foldAffine(folded);
}

function foldAffineOnce(graph: Graph): Graph {
  const producers = producersOf(graph);
  const uses = usesOf(graph);
  const builder = GraphBuilder.from(graph);
  const replaced = new Map<Node, Node>();
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const found = affineAfter(graph, node);
    const before = found && producers.get(found.input);
    if (
      before !== undefined &&
      isWeighted(before) &&
      !replaced.has(before) &&
      uses.get(found!.input)!.length === 1 &&
      !graph.outputs.includes(found!.input) &&
      isUnbounded(before)
    ) {
      const folded = foldInto(builder, graph, before, found!.affine);
      const { clamp } = node.attrs as { clamp: Clamp };
      replaced.set(before, { ...folded, attrs: { ...folded.attrs, clamp }, outs: node.outs } as Node);
    } else if (node.op === 'batch_norm') {
      nodes.push(...productAndSum(builder, node, found!.affine));
    } else {
      nodes.push(node);
    }
  }
  if (replaced.size === 0 && nodes.length === graph.nodes.length) return graph;
  for (const node of nodes) builder.push(replaced.get(node) ?? node);
  return builder.build(graph.outputs);
}

function productAndSum(
  builder: GraphBuilder,
  { attrs, ins, outs, origin }: Node & { readonly op: 'batch_norm' },
  { factor, offset }: Affine,
): Node[] {
  const { shape, name } = builder.value(outs[0]!);
  const product = builder.activation(`${name}/scaled`, { shape, dtype: 'float32' });
  const type = { shape: [factor.length], dtype: 'float32' } as const;
  const factors = builder.constant(`${name}/factor`, type, factor);
  const offsets = builder.constant(`${name}/offset`, type, offset);
  return [
    { op: 'mul', attrs: { clamp: UNBOUNDED }, ins: [ins[0]!, factors], outs: [product], origin },
    { op: 'add', attrs: { clamp: attrs.clamp }, ins: [product, offsets], outs, origin },
  ];
}

/** What a node does to each channel of `input`, where that is all it does. */
function affineAfter(
  graph: Graph,
  node: Node,
): { readonly input: ValueId; readonly affine: Affine } | undefined {
  if (node.op === 'batch_norm') return { input: node.ins[0]!, affine: normalisationOf(graph, node) };
  if (node.op !== 'add' && node.op !== 'sub' && node.op !== 'mul') return undefined;
  const [a, b] = node.ins.map((id) => requireValue(graph, id!)) as [Value, Value];
  const [x, constant] = a.data !== undefined && node.op !== 'sub' ? [b, a] : [a, b];
  const channels = x.shape.at(-1);
  const { shape, data } = constant;
  const perChannel = data?.length === channels && shape.at(-1) === channels;
  if (x.data !== undefined || !data || shape.length > x.shape.length || !(perChannel || data.length === 1)) {
    return undefined;
  }
  const at = (c: number): number => (data as Float32Array)[perChannel ? c : 0]!;
  const byChannel = (of: (c: number) => number) => Float32Array.from({ length: channels! }, (_, c) => of(c));
  const affine =
    node.op === 'mul'
      ? { factor: byChannel(at), offset: byChannel(() => 0) }
      : { factor: byChannel(() => 1), offset: byChannel(node.op === 'add' ? at : (c) => -at(c)) };
  return { input: x.id, affine };
}

function normalisationOf(graph: Graph, node: Node & { readonly op: 'batch_norm' }): Affine {
  const [, moments, gamma, beta] = node.ins.map((id) => requireValue(graph, id!)) as Value[];
  if (moments!.data === undefined) {
    fail('RV2008', 'the moments of the normalisation are those of a batch', {
      origin: describeOrigin(node.origin),
      hint: "build the network with mode: 'run'",
    });
  }
  const [m, g, b] = [moments, gamma, beta].map((value) => value!.data as Float32Array);
  const factor = g!.map((x, c) => x / Math.sqrt(m![g!.length + c]! + node.attrs.epsilon));
  return { factor, offset: b!.map((x, c) => x - m![c]! * factor[c]!) };
}

/** The weighted node with factor * (w x + b) + offset as its weights and bias. */
function foldInto(builder: GraphBuilder, graph: Graph, node: Node, { factor, offset }: Affine): Node {
  const { weights, bias, value } = affineOf(graph, node);
  const axis = channelAxis(node);
  const scaled = weights.map((w, i) => w * factor[axis.channelOf(value.shape, i)]!);
  const w = builder.constant(`${value.name}/folded`, { shape: value.shape, dtype: 'float32' }, scaled);
  const sums = offset.map((o, c) => o + factor[c]! * (bias?.[c] ?? 0));
  const b = builder.constant(`${value.name}/folded/bias`, { shape: [sums.length], dtype: 'float32' }, sums);
  return { ...node, ins: [node.ins[0]!, w, b] } as Node;
}

function isUnbounded(node: Node): boolean {
  const { clamp } = node.attrs as { clamp?: Clamp };
  return clamp === undefined || clamp.every((bound) => !Number.isFinite(bound));
}
