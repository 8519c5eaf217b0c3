import { architectureOf } from '../nas/architecture.ts';
import type { Genome } from '../nas/genome.ts';
import { modelBytesOf } from '../nas/graph.ts';
import type { Kind } from '../workers/workers.ts';
import { type Plain, spaceOf } from './blobs.ts';
import type { LimitName, Limits } from './limits.ts';
import { type Cost, exactCost, type WayName } from './ways.ts';

export type CostJob = {
  readonly genome: Plain<Genome>;
  readonly target: string;
  readonly ways: readonly WayName[];
  readonly limits: Plain<Limits>;
};

/** Compiles a network of the blob `space`, with placeholders for weights. */
export const COST_KIND: Kind<CostJob, Cost | LimitName> = {
  name: 'search-cost',
  run: ({ genome, target, ways, limits }, blobs) =>
    exactCost(modelBytesOf(architectureOf(spaceOf(blobs.space!), genome)), target, ways, limits),
};
