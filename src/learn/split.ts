/** A training graph cut where learning begins: what comes before is the same for an image however often it is shown. */
import { GraphBuilder } from '../ir/builder.ts';
import { type Graph, type Node, requireValue, typeOf, type ValueId } from '../ir/types.ts';
import { eliminateDead } from '../passes/eliminate-dead.ts';

export interface SplitGraph {
  /** From the image to the features. */
  readonly frozen: Graph;
  /** Its inputs are the features, in the order of `frozen`'s outputs, then the other inputs of the graph. */
  readonly learning: Graph;
}

/** Cuts `graph` between the nodes that no state has a part in and the others. The first input must be the image. */
export function splitFrozen(graph: Graph): SplitGraph {
  const [image, ...others] = graph.inputs as [ValueId, ...ValueId[]];
  const fixed = new Set<ValueId>([image]);
  const isConstant = (id: ValueId): boolean => requireValue(graph, id).role === 'const';
  const isFrozen = (node: Node): boolean =>
    node.ins.every((id) => id === null || fixed.has(id) || isConstant(id));
  const before: Node[] = [];
  const after: Node[] = [];
  for (const node of graph.nodes) {
    if (isFrozen(node)) {
      before.push(node);
      for (const id of node.outs) fixed.add(id);
    } else after.push(node);
  }
  const read = new Set<ValueId>([
    ...after.flatMap(({ ins }) => ins.filter((id) => id !== null)),
    ...graph.outputs,
  ]);
  const features = [...fixed].filter((id) => read.has(id));
  return {
    frozen: part(graph, [image], before, features),
    learning: part(graph, [...features, ...others], after, graph.outputs),
  };
}

function part(
  graph: Graph,
  inputs: readonly ValueId[],
  nodes: readonly Node[],
  outputs: readonly ValueId[],
): Graph {
  const empty: Graph = { ...graph, inputs: [], outputs: [], nodes: [] };
  const builder = GraphBuilder.from(empty);
  for (const id of inputs) {
    const value = requireValue(graph, id);
    builder.takeInput({ ...typeOf(value), id, name: value.name, role: 'input' });
  }
  for (const node of nodes) builder.push(node);
  return builder.build(outputs);
}

const STEP_INPUTS = new Set(['label', 'rate', 'apply']);

/** The inference of a training graph: its logits, with parameters as states. */
export function inferencePart(graph: Graph): Graph {
  const loss = graph.nodes.findIndex(({ op }) => op === 'softmax_cross_entropy_loss');
  const [logits] = graph.outputs as [ValueId];
  const inputs = graph.inputs.filter((id, i) => i === 0 || !STEP_INPUTS.has(requireValue(graph, id).name));
  return eliminateDead.run(part(graph, inputs, graph.nodes.slice(0, loss), [logits]));
}
