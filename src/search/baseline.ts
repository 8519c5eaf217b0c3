/**
 * What a search has to beat: MobileNetV2 (arXiv 1801.04381), all channels scaled by one factor until it fits. Strides are
 * those of the space that is searched, so that both see pictures of that size with the same care; there is no head, as none
 * of the networks of the space has one.
 */
import { fail } from '../core/diagnostics.ts';
import { architectureOf } from '../nas/architecture.ts';
import { CostModel } from '../nas/costs.ts';
import { largestGenome } from '../nas/genome.ts';
import { modelBytesOf } from '../nas/graph.ts';
import { type Space, subspace } from '../nas/space.ts';
import { networkOfGenome } from '../supernet/train.ts';
import type { Target } from '../targets/index.ts';
import type { NetworkDescription } from '../train/blocks.ts';
import type { Limits } from './limits.ts';
import { type Cost, exactCost, refusedByEstimate, type WayName } from './ways.ts';

/** Channels and blocks of its stages behind the first block. */
const STAGES = [
  [24, 2],
  [32, 3],
  [64, 4],
  [96, 3],
  [160, 3],
  [320, 1],
] as const;
/** Multipliers 0.05, 0.06 ... 1.5. */
const WIDTHS = Array.from({ length: 146 }, (_, i) => Math.round(5 + i) / 100);

/** MobileNetV2 as a space whose only choice is the width. */
export function mobileNetV2(space: Space): Space {
  return {
    ...space,
    name: 'mobilenetv2',
    description: `MobileNetV2 with the strides of ${space.name}`,
    widths: WIDTHS,
    widthPer: 'network',
    kernels: [3],
    expansions: [6],
    stem: { channels: 32, stride: space.stem.stride },
    firstBlock: 16,
    stages: STAGES.map(([channels, depth], i) => ({
      channels,
      stride: space.stages[i]?.stride ?? 1,
      depths: [depth],
    })),
    head: null,
  };
}

export interface Baseline {
  readonly width: number;
  readonly resolution: number;
  readonly network: NetworkDescription;
  readonly cost: Cost;
}

/**
 * The one with most multiply-accumulates, over all widths and the resolutions of the space, that keeps the limits.
 * @throws RivuletError RV6003 where none does
 */
export function largestMobileNetV2(
  space: Space,
  target: Target,
  limits: Limits,
  ways: readonly WayName[],
): Baseline {
  const all = mobileNetV2(space);
  const model = new CostModel(target);
  const candidates = all.resolutions.flatMap((resolution) => {
    const inputBytes = resolution * resolution * space.imageChannels;
    const fitting = [];
    for (const width of all.widths) {
      const part = subspace(all, resolution, width);
      const genome = largestGenome(part);
      const architecture = architectureOf(part, genome);
      const cost = model.network(architecture);
      // Wider ones cost more of everything.
      if (refusedByEstimate(cost, inputBytes, ways, limits) !== null) break;
      fitting.push({ part, genome, architecture, width, resolution, macs: cost.macs });
    }
    return fitting;
  });
  // Widths that round to the same channels are the same network: the first of them stands for all.
  candidates.sort((a, b) => b.macs - a.macs || b.resolution - a.resolution || a.width - b.width);
  for (const { part, genome, architecture, width, resolution } of candidates) {
    const cost = exactCost(modelBytesOf(architecture), target.name, ways, limits);
    if (typeof cost !== 'string') return { width, resolution, network: networkOfGenome(part, genome), cost };
  }
  return fail('RV6003', `no MobileNetV2 with the strides of "${space.name}" fits`, {
    origin: '--target',
    hint: 'raise the limits, or allow --input-mode rows',
  });
}
