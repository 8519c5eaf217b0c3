/** Which channels of a layer matter most. */
import type { Graph } from '../ir/types.ts';
import { isPerTensor } from '../ops/quantization.ts';
import { channelsOf, type LayerNode, weightsOf } from './layers.ts';

/**
 * The `count` channels with the largest sum of |real weight| over all that reads them, ascending: what the layer listens to
 * is what a step can use. Of equals the first.
 */
export function importantChannels(graph: Graph, layer: LayerNode, count: number): number[] {
  const weights = weightsOf(graph, layer);
  const channels = channelsOf(graph, layer);
  const { scales, axis } = weights.quantization!;
  const inner = weights.shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const importance = new Float64Array(channels);
  (weights.data as Int8Array).forEach((weight, i) => {
    const scale = scales[isPerTensor(weights) ? 0 : Math.floor(i / inner) % scales.length]!;
    importance[i % channels]! += Math.abs(weight) * scale;
  });
  const order = [...importance.keys()].sort((a, b) => importance[b]! - importance[a]! || a - b);
  return order.slice(0, count).sort((a, b) => a - b);
}
