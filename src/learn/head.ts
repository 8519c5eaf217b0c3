/** A new classifier for other classes. */
import { GraphBuilder } from '../ir/builder.ts';
import { type Graph, type Node, requireValue, typeOf, type ValueId } from '../ir/types.ts';
import { classifierOf, type LayerNode } from './layers.ts';

/**
 * Replaces the classifier by one with `classes` outputs whose weights and biases are zero, so that all classes are equally
 * likely. Its input, and the scale of its outputs, are those of the old one; its weights have one scale for all, the
 * median of the old ones.
 * @throws RivuletError RV5002, see `classifierOf`
 */
export function withFreshClassifier(graph: Graph, classes: number): Graph {
  const { layer, logits } = classifierOf(graph);
  const builder = GraphBuilder.from(graph);
  const weights = requireValue(graph, layer.ins[1]!);
  const depth = weights.data!.length / weights.shape[0]!;
  const scale = median(weights.quantization!.scales.filter((s) => s > 0));
  const freshWeights = builder.constant(
    `${weights.name}/fresh`,
    {
      shape: [classes, ...weights.shape.slice(1)],
      dtype: 'int8',
      quantization: {
        scales: new Array(classes).fill(scale),
        zeroPoints: new Array(classes).fill(0),
        axis: 0,
      },
    },
    new Int8Array(classes * depth),
  );
  const bias = builder.constant(
    `${layer.origin.name}/fresh bias`,
    { shape: [classes], dtype: 'int32' },
    new Int32Array(classes),
  );
  const output = builder.activation(logits.name, {
    ...typeOf(logits),
    shape: [...logits.shape.slice(0, -1), classes],
  });
  for (const node of graph.nodes.slice(0, graph.nodes.indexOf(layer))) builder.push(node);
  builder.push(replaced(layer, [layer.ins[0]!, freshWeights, bias], output));
  return builder.build([output]);
}

/**
 * Replaces the classifier by a fresh one, see `withFreshClassifier`, with these parameters.
 * @param weights of all classes one behind the other; `bias`: one for each class
 */
export function withClassifier(graph: Graph, weights: Int8Array, bias: Int32Array): Graph {
  const fresh = withFreshClassifier(graph, bias.length);
  const { ins } = classifierOf(fresh).layer;
  const values = new Map(fresh.values);
  for (const [id, data] of [
    [ins[1]!, weights],
    [ins[2]!, bias],
  ] as const)
    values.set(id, { ...requireValue(fresh, id), data });
  return { ...fresh, values };
}

/** `graph` up to its logits: what follows the classifier is left away. */
export function withoutSoftmax(graph: Graph): Graph {
  const { layer, logits } = classifierOf(graph);
  const builder = GraphBuilder.from(graph);
  for (const node of graph.nodes.slice(0, graph.nodes.indexOf(layer) + 1)) builder.push(node);
  return builder.build([logits.id]);
}

function replaced(layer: LayerNode, ins: readonly ValueId[], output: ValueId): Node {
  return { ...layer, ins, outs: [output] } as Node;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
