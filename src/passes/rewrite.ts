/** What every pass is made of: walk the nodes in order, keep, drop or replace each, forward values. */
import type { NodeAttributes, OpName } from '../ir/attributes.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph, Node, Origin, TensorType, Value, ValueId } from '../ir/types.ts';
import type { RemovedChannels } from './removal-log.ts';

/** A pure, exact rewrite of a graph: the outputs are the same bytes for every input. */
export interface Pass {
  readonly name: string;
  /** What it does, for the documentation and the report. */
  readonly summary: string;
  /** @param tell hears what the report should name */
  run(graph: Graph, tell?: (removed: RemovedChannels) => void): Graph;
}

export class Rewriter {
  private readonly graph: Graph;
  private readonly builder: GraphBuilder;
  private readonly forwarded = new Map<ValueId, ValueId>();
  private readonly uses: ReadonlyMap<ValueId, readonly Node[]>;

  constructor(graph: Graph) {
    this.graph = graph;
    this.builder = GraphBuilder.from(graph);
    this.uses = usesOf(graph);
  }

  value(id: ValueId): Value {
    return this.builder.value(id);
  }

  /** The node's operands after forwarding. */
  operands(node: Node): (Value | null)[] {
    return node.ins.map((id) => (id === null ? null : this.value(this.resolve(id))));
  }

  /** Readers of a value in the graph as it was before the pass. */
  readers(id: ValueId): readonly Node[] {
    return this.uses.get(id) ?? [];
  }

  isOutput(id: ValueId): boolean {
    return this.graph.outputs.includes(id);
  }

  /** Keeps a node as it is, with forwarded operands. */
  keep(node: Node): void {
    this.builder.push({
      ...node,
      ins: node.ins.map((id) => (id === null ? null : this.resolve(id))),
    } as Node);
  }

  /** Adds a node in place of another; operands are resolved. */
  add<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    ins: readonly (ValueId | null)[],
    outs: readonly ValueId[],
    origin: Origin,
  ): void {
    const resolved = ins.map((id) => (id === null ? null : this.resolve(id)));
    this.builder.node(op, attrs, resolved, outs, origin);
  }

  /** A new value between nodes of the pass. */
  activation(name: string, type: TensorType): ValueId {
    return this.builder.activation(name, type);
  }

  /** Every later use of `from` uses `to` instead. */
  forward(from: ValueId, to: ValueId): void {
    this.forwarded.set(from, this.resolve(to));
  }

  redefine(value: Value): void {
    this.builder.redefine(value);
  }

  replaceInput(index: number, id: ValueId): void {
    this.builder.replaceInput(index, id);
  }

  finish(): Graph {
    return this.builder.build(this.graph.outputs.map((id) => this.resolve(id)));
  }

  private resolve(id: ValueId): ValueId {
    return this.forwarded.get(id) ?? id;
  }
}

/** The nodes that read each value. */
export function usesOf(graph: Graph): Map<ValueId, Node[]> {
  const uses = new Map<ValueId, Node[]>();
  for (const node of graph.nodes) {
    for (const id of new Set(node.ins)) {
      if (id !== null) uses.set(id, [...(uses.get(id) ?? []), node]);
    }
  }
  return uses;
}

/** The node that computes each value. */
export function producersOf(graph: Graph): Map<ValueId, Node> {
  return new Map(graph.nodes.flatMap((node) => node.outs.map((id) => [id, node] as const)));
}
