/** Which space suits data and a chip, where nobody says: stage 1 of TinyNAS with the limits of the search. */
import { fail } from '../core/diagnostics.ts';
import { createRandom, fnv1a } from '../core/random.ts';
import { architectureOf } from '../nas/architecture.ts';
import { CostModel } from '../nas/costs.ts';
import { randomGenome } from '../nas/genome.ts';
import { type Space, subspace } from '../nas/space.ts';
import { pairsOf, ranked, type Score } from '../nas/stage-one.ts';
import type { Target } from '../targets/index.ts';
import type { Limits } from './limits.ts';
import { refusedByEstimate, type WayName } from './ways.ts';

/** The name of the space for pictures of this size: the one whose strides leave enough rows behind the last block. */
export function spaceFor(side: number, channels: number): 'fashion' | 'cifar' | 'mcunet' {
  if (side > 48) return 'mcunet';
  return channels === 1 ? 'fashion' : 'cifar';
}

/** Networks drawn of each pair. */
const SAMPLES = 60;
const SEED = 1;

/**
 * The pair of width and resolution whose networks that keep the limits compute most: its part of the space, and all pairs.
 * @throws RivuletError RV6003 where nothing fits
 */
export function choosePair(
  space: Space,
  target: Target,
  limits: Limits,
  ways: readonly WayName[],
  onPair: (score: Score, done: number, all: number) => void = () => {},
): { space: Space; scores: readonly Score[] } {
  const pairs = pairsOf(space);
  const scores = pairs.map(({ width, resolution }, i): Score => {
    const model = new CostModel(target);
    const part = subspace(space, resolution, width);
    const random = createRandom(fnv1a(new TextEncoder().encode(`${SEED} ${resolution} ${width}`)));
    const inputBytes = resolution * resolution * space.imageChannels;
    const fitting: number[] = [];
    for (let sample = 0; sample < SAMPLES; ++sample) {
      const cost = model.network(architectureOf(part, randomGenome(part, random)));
      if (refusedByEstimate(cost, inputBytes, ways, limits) === null) fitting.push(cost.macs);
    }
    fitting.sort((a, b) => a - b);
    const sum = fitting.reduce((total, macs) => total + macs, 0);
    const score: Score = {
      resolution,
      width,
      samples: SAMPLES,
      fitting: fitting.length,
      meanMacs: fitting.length === 0 ? 0 : Math.round(sum / fitting.length),
      macs80: fitting[Math.min(fitting.length - 1, Math.floor(0.8 * fitting.length))] ?? 0,
    };
    onPair(score, i + 1, pairs.length);
    return score;
  });
  const chosen =
    ranked(scores)[0] ??
    fail('RV6003', `of ${SAMPLES} networks of each width and resolution of "${space.name}" none fits`, {
      origin: '--target',
      hint: 'raise the limits, or allow --input-mode rows',
    });
  return { space: subspace(space, chosen.resolution, chosen.width), scores };
}
