/** The order of channels in a trained network: what a narrower network keeps are the first ones. */
import type { NetworkDescription } from '../train/blocks.ts';
import type { States } from '../train/evaluation.ts';

/**
 * States of the same network, in each inverted bottleneck of which the channels of the depthwise convolution stand in the
 * order of their importance, the largest first: the sum of the absolute weights with which the projection reads them (Cai
 * and others, 2020). The network computes what it did. States that the blocks do not have are kept as they are.
 */
export function sortChannels({ blocks }: NetworkDescription, states: States): Map<string, Float32Array> {
  const sorted = new Map([...states].map(([name, values]) => [name, values.slice()]));
  blocks.forEach((block, i) => {
    if (block.kind !== 'inverted') return;
    const name = block.name ?? `b${i}`;
    // Without an expansion the channels are those of the block before.
    if (!states.has(`${name}/expand/weights`)) return;
    const { middle, kernel } = block;
    const project = states.get(`${name}/project/weights`)!;
    const order = orderOf(importanceOf(project, middle));
    const outs = project.length / middle;
    const depth = states.get(`${name}/expand/weights`)!.length / middle;
    /** Of a tensor [before, middle, behind]. */
    const permute = (key: string, before: number, behind: number): void => {
      const from = states.get(`${name}/${key}`);
      const to = sorted.get(`${name}/${key}`);
      if (from === undefined || to === undefined) return;
      for (let b = 0; b < before; ++b) {
        order.forEach((channel, place) => {
          const start = (b * middle + channel) * behind;
          to.set(from.subarray(start, start + behind), (b * middle + place) * behind);
        });
      }
    };
    permute('expand/weights', 1, depth);
    permute('depthwise/weights', kernel * kernel, 1);
    permute('project/weights', outs, 1);
    for (const layer of ['expand', 'depthwise']) {
      permute(`${layer}/gamma`, 1, 1);
      permute(`${layer}/beta`, 1, 1);
      permute(`${layer}/moments`, 2, 1);
    }
  });
  return sorted;
}

/** By channel, the sum of |w| over the rows of a matrix [outs, channels]. */
function importanceOf(weights: Float32Array, channels: number): Float64Array {
  const sums = new Float64Array(channels);
  weights.forEach((weight, i) => {
    sums[i % channels]! += Math.abs(weight);
  });
  return sums;
}

/** Positions by descending value; equal values keep their order. */
function orderOf(values: Float64Array): number[] {
  return Array.from(values, (_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b);
}
