/**
 * Two-pass squeeze-and-excite. A block computes a wide tensor T, its mean over the plane, from that a gate, and
 * MUL(T, gate): T is whole, because the last of it must be there before the first of the product. Computing T a second
 * time from the block's narrow input lets both copies flow through rings, at the price of the MACs of one copy.
 */
import { fail } from '../core/diagnostics.ts';
import { GraphBuilder } from '../ir/builder.ts';
import {
  describeOrigin,
  elementCount,
  type Graph,
  type Node,
  type Origin,
  requireValue,
  type Value,
  type ValueId,
} from '../ir/types.ts';
import { elementBytes, planeOf } from '../ops/rows.ts';
import { macsOf } from '../ops/view.ts';
import { producersOf } from './rewrite.ts';

/** A squeeze-and-excite block that could compute its wide tensor twice. */
export interface TwoPassSite {
  /** The wide tensor T; names the site, also in graphs where other sites are already rewritten. */
  readonly id: ValueId;
  /** Of the operator that computes T. */
  readonly origin: Origin;
  /** Bytes of T. */
  readonly bytes: number;
  /** Multiply-accumulates of computing T once more. */
  readonly extraMacs: number;
}

/** A site with the nodes of the rewrite. */
interface Block extends TwoPassSite {
  /** The nodes that lead from the narrow tensor to T, in execution order. */
  readonly body: readonly Node[];
  /** MUL(T, gate). */
  readonly product: Node;
}

/** Every squeeze-and-excite block of `graph`, in execution order. */
export function twoPassSites(graph: Graph): TwoPassSite[] {
  return blocksOf(graph).map(({ id, origin, bytes, extraMacs }) => ({ id, origin, bytes, extraMacs }));
}

/**
 * Computes the wide tensor of each chosen site twice: once for the gate, once more right before the product. The
 * outputs are the same bytes.
 * @param chosen ids of `twoPassSites(graph)`
 * @throws RivuletError RV3001 for an id that is no site
 */
export function twoPass(graph: Graph, chosen: readonly ValueId[]): Graph {
  return chosen.reduce((result, id) => {
    const block = blocksOf(result).find((candidate) => candidate.id === id);
    return block === undefined ? failNoSite(graph, id) : repeatBody(result, block);
  }, graph);
}

function failNoSite(graph: Graph, id: ValueId): never {
  const sites = twoPassSites(graph).map((site) => `${site.id} (${describeOrigin(site.origin)})`);
  fail('RV3001', `value ${id} is not the wide tensor of a squeeze-and-excite block`, {
    origin: graph.name,
    hint: sites.length === 0 ? 'the model has no such block' : `one of ${sites.join(', ')}`,
  });
}

function blocksOf(graph: Graph): Block[] {
  const producers = producersOf(graph);
  return graph.nodes.flatMap((product) => {
    if (product.op !== 'mul') return [];
    for (const [wide, gate] of [product.ins, product.ins.toReversed()]) {
      const block = blockOf(graph, producers, product, wide!, gate!);
      if (block !== undefined) return [block];
    }
    return [];
  });
}

function blockOf(
  graph: Graph,
  producers: ReadonlyMap<ValueId, Node>,
  product: Node,
  wide: ValueId,
  gate: ValueId,
): Block | undefined {
  if (!isPlane(requireValue(graph, wide)) || isPlane(requireValue(graph, gate))) return undefined;
  // An output must be whole however often it is computed.
  if (graph.outputs.includes(wide) || !dependsOn(producers, gate, wide)) return undefined;
  const body = bodyOf(graph, producers, wide);
  if (body === undefined) return undefined;
  return {
    id: wide,
    origin: producers.get(wide)!.origin,
    bytes: bytesOf(requireValue(graph, wide)),
    extraMacs: body.reduce((sum, node) => sum + macsOf(graph, node), 0),
    body,
    product,
  };
}

/** More than one pixel: what a mean over height and width leaves is none. */
function isPlane({ shape }: Value): boolean {
  const { height, width } = planeOf(shape);
  return shape.length === 4 && height * width > 1;
}

function bytesOf(value: Value): number {
  return elementCount(value.shape) * elementBytes(value);
}

function dependsOn(producers: ReadonlyMap<ValueId, Node>, from: ValueId, on: ValueId): boolean {
  const seen = new Set([from]);
  // A set grows while it is walked.
  for (const id of seen) {
    for (const operand of producers.get(id)?.ins ?? []) if (operand !== null) seen.add(operand);
  }
  return seen.has(on);
}

/**
 * The nodes from the nearest tensor that is smaller than `wide` and that alone decides it: the fewest MACs after which
 * something narrow can wait in its place. Undefined where there is none.
 */
function bodyOf(graph: Graph, producers: ReadonlyMap<ValueId, Node>, wide: ValueId): Node[] | undefined {
  const limit = bytesOf(requireValue(graph, wide));
  const body: Node[] = [];
  const frontier = new Set([wide]);
  for (const node of graph.nodes.slice(0, graph.nodes.indexOf(producers.get(wide)!) + 1).toReversed()) {
    if (!node.outs.some((id) => frontier.has(id))) continue;
    body.unshift(node);
    for (const id of node.outs) frontier.delete(id);
    for (const id of node.ins) {
      if (id !== null && requireValue(graph, id).role !== 'const') frontier.add(id);
    }
    const [first] = frontier;
    if (frontier.size === 1 && bytesOf(requireValue(graph, first!)) < limit) return body;
  }
  return undefined;
}

/** Everything before the product keeps the values it reads; the product and all after it read the copies. */
function repeatBody(graph: Graph, { id, body, product }: Block): Graph {
  const builder = GraphBuilder.from(graph);
  const copies = new Map<ValueId, ValueId>();
  let repeated = false;
  for (const node of graph.nodes) {
    if (node === product) {
      for (const original of body) {
        const outs = original.outs.map((out) => copyOf(builder, out));
        builder.push({ ...original, ins: renamed(original.ins, copies), outs } as Node);
        for (const [i, out] of original.outs.entries()) copies.set(out, outs[i]!);
      }
      repeated = true;
    }
    const ins = repeated ? node.ins.map((operand) => (operand === id ? copies.get(id)! : operand)) : node.ins;
    builder.push({ ...node, ins } as Node);
  }
  return builder.build(graph.outputs);
}

function copyOf(builder: GraphBuilder, id: ValueId): ValueId {
  const { name, shape, dtype, quantization } = builder.value(id);
  return builder.activation(`${name}/again`, { shape, dtype, ...(quantization && { quantization }) });
}

function renamed(ids: readonly (ValueId | null)[], names: ReadonlyMap<ValueId, ValueId>): (ValueId | null)[] {
  return ids.map((id) => (id === null ? null : (names.get(id) ?? id)));
}
