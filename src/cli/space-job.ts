/** The work of one thread of `search space`: the samples of a pair, as text for a file. */

import { findSpace } from '../nas/space.ts';
import { type SampleOrigin, samplesOf, writeSamples } from '../nas/stage-one.ts';
import { findTarget } from '../targets/index.ts';

export interface SpaceJob {
  readonly origin: SampleOrigin;
}

export default function drawSamples({ origin }: SpaceJob): string {
  const samples = samplesOf(findSpace(origin.space), origin, { ...origin, target: findTarget(origin.core) });
  return writeSamples(origin, samples);
}
