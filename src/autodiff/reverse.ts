/** The reverse walk: Graph -> Graph with gradients, for any set of rules. */
import { fail } from '../core/diagnostics.ts';
import type { OpName } from '../ir/attributes.ts';
import { GraphBuilder } from '../ir/builder.ts';
import {
  describeOrigin,
  type Graph,
  type Node,
  type NodeOf,
  type Origin,
  requireValue,
  type ValueId,
} from '../ir/types.ts';
import type { Domain, Emitter, GradientContext, GradientRule } from './domain.ts';

/**
 * Called as soon as the gradient of a wanted value is complete and no later node of the way back reads the value: it may
 * be updated in place now.
 */
export type GradientConsumer = (value: ValueId, gradient: ValueId, emitter: Emitter) => void;

/**
 * A builder that holds `graph` and behind it the gradients of `loss`, which has one element, with respect to the `wanted`
 * values. Gradients that do not lead to one of these are not computed.
 * @throws RV2008 where a gradient would have to pass an operator that has none, or does not reach a wanted value
 */
export function differentiate(
  graph: Graph,
  loss: ValueId,
  wanted: readonly ValueId[],
  domain: Domain,
  consume: GradientConsumer,
): GraphBuilder {
  const builder = GraphBuilder.from(graph);
  for (const node of graph.nodes) builder.push(node);
  const walk = new ReverseWalk(graph, builder, domain, wanted);
  walk.begin(loss);
  const firstReaders = firstReadersOf(graph);
  graph.nodes.toReversed().forEach((node, i) => {
    walk.visit(node);
    const index = graph.nodes.length - 1 - i;
    for (const id of wanted) {
      if (firstReaders.get(id) === index) consume(id, walk.gradientOf(id), walk.emitterAt(node.origin));
    }
  });
  const unread = wanted.find((id) => !firstReaders.has(id));
  if (unread !== undefined) fail('RV2008', `nothing reads "${requireValue(graph, unread).name}"`);
  return builder;
}

class ReverseWalk {
  private readonly graph: Graph;
  private readonly builder: GraphBuilder;
  private readonly domain: Domain;
  /** Values that depend on a wanted one, or are one. */
  private readonly moving: ReadonlySet<ValueId>;
  private readonly producers: ReadonlyMap<ValueId, Node>;
  private readonly gradients = new Map<ValueId, ValueId>();

  constructor(graph: Graph, builder: GraphBuilder, domain: Domain, wanted: readonly ValueId[]) {
    this.graph = graph;
    this.builder = builder;
    this.domain = domain;
    this.moving = dependents(graph, wanted);
    this.producers = new Map(graph.nodes.flatMap((node) => node.outs.map((id) => [id, node] as const)));
  }

  begin(loss: ValueId): void {
    const origin = this.producers.get(loss)?.origin ?? fail('RV2008', 'the loss is not computed');
    this.gradients.set(loss, this.domain.seed(this.emitterAt(origin), requireValue(this.graph, loss)));
  }

  visit(node: Node): void {
    const out = node.outs[0]!;
    const error = this.gradients.get(out);
    if (error === undefined || !node.ins.some((id) => id !== null && this.moving.has(id))) return;
    const rule = this.domain.rules[node.op] as GradientRule<OpName> | string;
    if (typeof rule === 'string') {
      fail('RV2008', `${node.op} has no gradient: ${rule}`, { origin: describeOrigin(node.origin) });
    }
    const emitter = this.emitterAt(node.origin);
    const context: GradientContext<OpName> = {
      ...emitter,
      node: node as NodeOf<OpName>,
      attrs: node.attrs,
      ins: node.ins.map((id) => (id === null ? null : requireValue(this.graph, id))),
      out: requireValue(this.graph, out),
      error,
      wants: (operand) => this.moving.has(node.ins[operand] ?? -1),
      contribute: (operand, gradient) => this.accumulate(node.ins[operand]!, gradient, emitter),
      producer: (id) => this.producers.get(id) as NodeOf<OpName> | undefined,
    };
    rule(context);
  }

  gradientOf(id: ValueId): ValueId {
    return (
      this.gradients.get(id) ??
      fail('RV2008', `the loss does not depend on "${requireValue(this.graph, id).name}"`)
    );
  }

  emitterAt({ index, op, name }: Origin): Emitter {
    const origin = { index, op, name: `${name}/gradient` };
    return {
      emit: (kind, attrs, ins, type, result = `${name}/${kind}`) => {
        const id = this.builder.activation(result, type);
        this.builder.node(kind, attrs, ins, [id], origin);
        return id;
      },
      constant: (type, data) => this.builder.constant(`${name}/constant`, type, data),
      state: (state, type, data) => this.builder.state(state, type, data),
    };
  }

  private accumulate(id: ValueId, gradient: ValueId, emitter: Emitter): void {
    const known = this.gradients.get(id);
    const value = requireValue(this.graph, id);
    this.gradients.set(id, known === undefined ? gradient : this.domain.add(emitter, known, gradient, value));
  }
}

function dependents(graph: Graph, wanted: readonly ValueId[]): ReadonlySet<ValueId> {
  const moving = new Set(wanted);
  for (const { ins, outs } of graph.nodes) {
    if (ins.some((id) => id !== null && moving.has(id))) for (const id of outs) moving.add(id);
  }
  return moving;
}

/** By value: the first node that reads it. */
function firstReadersOf(graph: Graph): ReadonlyMap<ValueId, number> {
  const readers = new Map<ValueId, number>();
  graph.nodes.forEach(({ ins }, i) => {
    for (const id of ins) if (id !== null && !readers.has(id)) readers.set(id, i);
  });
  return readers;
}
