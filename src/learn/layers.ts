/** The layers of a network that have weights to train. */
import { fail } from '../core/diagnostics.ts';
import { type Graph, type Node, type NodeOf, requireValue, type Value } from '../ir/types.ts';

export type LayerNode = NodeOf<'conv2d'> | NodeOf<'depthwise_conv2d'> | NodeOf<'fully_connected'>;

/** Convolutions, depthwise convolutions and dense layers in order of execution: a scheme counts them so. */
export function layersOf(graph: Graph): LayerNode[] {
  return graph.nodes.filter(isLayer);
}

export function isLayer(node: Node): node is LayerNode {
  return node.op === 'conv2d' || node.op === 'depthwise_conv2d' || node.op === 'fully_connected';
}

export function weightsOf(graph: Graph, layer: LayerNode): Value {
  return requireValue(graph, layer.ins[1]!);
}

/** Channels that a ratio is a share of: of the input, or of a depthwise layer. */
export function channelsOf(graph: Graph, layer: LayerNode): number {
  return weightsOf(graph, layer).shape.at(-1)!;
}

/**
 * What a network classifies by: the last layer, and the int8 value whose softmax are the probabilities. A softmax or a
 * conversion to float at the end is not part of training and left away.
 * @throws RivuletError RV5002 for a network that does not end in a layer with int8 outputs
 */
export function classifierOf(graph: Graph): { layer: LayerNode; index: number; logits: Value } {
  const layers = layersOf(graph);
  const layer = layers.at(-1);
  if (graph.outputs.length !== 1 || layer === undefined) {
    return fail(
      'RV5002',
      `the model has ${graph.outputs.length} outputs and ${layers.length} layers with weights`,
      {
        origin: graph.name,
        hint: 'networks with one output that ends in a classifier can be trained',
      },
    );
  }
  const logits = requireValue(graph, layer.outs[0]!);
  const after = graph.nodes.slice(graph.nodes.indexOf(layer) + 1);
  const other = after.find(({ op }) => op !== 'softmax' && op !== 'dequantize' && op !== 'reshape');
  if (other !== undefined || logits.dtype !== 'int8') {
    return fail(
      'RV5002',
      `${other === undefined ? logits.dtype : other.op} follows the last layer with weights`,
      {
        origin: graph.name,
        hint: 'after the classifier only reshape, softmax and dequantize may follow',
      },
    );
  }
  const [first, ...rest] = logits.shape.toReversed();
  if (rest.some((size) => size !== 1) || first! < 2) {
    return fail('RV5002', `the classifier's output is [${logits.shape}]`, {
      origin: graph.name,
      hint: 'a classifier gives one vector of at least two values per image',
    });
  }
  return { layer, index: layers.length - 1, logits };
}
