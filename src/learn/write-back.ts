/** What has been learnt, written back into the network. */
import { fromBytes } from '../core/dtype.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { type Graph, type Node, requireValue, typeOf, type Value } from '../ir/types.ts';
import type { TrainedLayer } from './forward.ts';
import { type LayerNode, layersOf } from './layers.ts';
import type { Learnt } from './slot.ts';
import type { TrainingGraph } from './training-graph.ts';

/**
 * The inference with trained weights and biases as constants: what NAME_run of the firmware computes, bit for bit. Training
 * changes no scale, so a trained parameter is in units of the one that it replaces.
 */
export function writeBack({ inference, graph, layers }: TrainingGraph, learnt: Learnt): Graph {
  const builder = GraphBuilder.from(inference);
  const nodes = layersOf(inference);
  const trained = new Map(layers.map((layer) => [nodes[layer.layer]!, layer]));
  for (const node of inference.nodes) {
    const layer = trained.get(node as LayerNode);
    builder.push(layer === undefined ? node : withTrained(node as LayerNode, layer));
  }
  return builder.build(inference.outputs);

  function withTrained(node: LayerNode, layer: TrainedLayer): Node {
    const [x, weightsId, biasId] = node.ins as [number, number, number | null | undefined];
    const bias = fromBytes('int32', learnt.states.get(`bias ${layer.layer}`)!);
    const biasType =
      biasId == null
        ? { shape: [bias.length], dtype: 'int32' as const }
        : typeOf(requireValue(inference, biasId));
    const ins = [
      x,
      layer.trained === null ? weightsId : withWeights(requireValue(inference, weightsId), layer),
      builder.constant(`${node.origin.name}/trained bias`, biasType, bias),
    ];
    return { ...node, ins } as Node;
  }

  function withWeights(weights: Value, { layer, channels }: TrainedLayer): number {
    const depth = weights.shape.at(-1)!;
    const list =
      channels === null ? [...new Array(depth).keys()] : (requireValue(graph, channels).data as Int32Array);
    const data = (weights.data as Int8Array).slice();
    fromBytes('int8', learnt.states.get(`weights ${layer}`)!).forEach((weight, i) => {
      data[Math.floor(i / list.length) * depth + list[i % list.length]!] = Number(weight);
    });
    return builder.constant(`${weights.name}/trained`, typeOf(weights), data);
  }
}
