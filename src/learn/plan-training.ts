/** Which parameters of which layer a scheme trains. */
import { fail } from '../core/diagnostics.ts';
import type { Graph } from '../ir/types.ts';
import { importantChannels } from './channels.ts';
import { channelsOf, type LayerNode, layersOf } from './layers.ts';
import type { Scheme } from './scheme.ts';

/** How one layer is trained; its bias always is. */
export interface LayerTraining {
  readonly layer: number;
  /** Channels whose weights are trained, ascending; 'all', or 'none' where only the bias is. */
  readonly channels: readonly number[] | 'all' | 'none';
}

/**
 * By node of `graph`, the trained layers only.
 * @throws RivuletError RV5001 where the scheme names layers or channels that do not exist
 */
export function planTraining(graph: Graph, scheme: Scheme): ReadonlyMap<LayerNode, LayerTraining> {
  const layers = layersOf(graph);
  const classifier = layers.length - 1;
  const wrong = (message: string): never =>
    fail('RV5001', message, {
      origin: scheme.name,
      hint: `${graph.name} has ${classifier} layers before its classifier`,
    });
  if (scheme.biases > classifier) wrong(`the biases of ${scheme.biases} layers are to be trained`);
  const planned = new Map<LayerNode, LayerTraining>();
  for (const entry of scheme.weights) {
    if (entry.layer >= classifier) wrong(`the weights of layer ${entry.layer} are to be trained`);
  }
  layers.forEach((node, layer) => {
    if (layer === classifier) {
      planned.set(node, { layer, channels: 'all' });
      return;
    }
    const entry = scheme.weights.find((candidate) => candidate.layer === layer);
    const available = channelsOf(graph, node);
    const count = entry?.channels?.length ?? Math.round((entry?.ratio ?? 0) * available);
    const isWrong = entry?.channels?.some((channel) => channel >= available) ?? false;
    if (isWrong)
      wrong(`layer ${layer} has ${available} channels, the scheme names channel ${entry!.channels!.at(-1)}`);
    // A ratio that rounds to nothing still means one channel.
    const wanted = entry !== undefined && entry.ratio > 0 ? Math.max(1, count) : count;
    if (wanted === 0 && layer < classifier - scheme.biases) return;
    planned.set(node, {
      layer,
      channels:
        wanted === 0
          ? 'none'
          : wanted === available
            ? 'all'
            : (entry!.channels ?? importantChannels(graph, node, wanted)),
    });
  });
  return planned;
}
