/** Samples of a pair of width and resolution as work for workers. */
import { findTarget } from '../targets/index.ts';
import type { Kind } from '../workers/workers.ts';
import { findSpace } from './space.ts';
import { type SampleOrigin, samplesOf, writeSamples } from './stage-one.ts';

/** Argument: a SampleOrigin as JSON; result: the text of the pair's file. */
export const SAMPLES: Kind<string, string> = {
  name: 'samples',
  run(text) {
    const origin = JSON.parse(text) as SampleOrigin;
    const target = findTarget(origin.core);
    return writeSamples(origin, samplesOf(findSpace(origin.space), origin, { ...origin, target }));
  },
};
