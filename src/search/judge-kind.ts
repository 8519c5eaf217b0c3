import { type Genome, largestGenome } from '../nas/genome.ts';
import { type HostName, openHost } from '../run/engine/host.ts';
import { reusedMemory } from '../run/engine/reused-memory.ts';
import { judgePart, networkOfGenome } from '../supernet/train.ts';
import { allStates } from '../train/trained.ts';
import type { Kind } from '../workers/workers.ts';
import { itemsIn, oncePerBlob, type Plain, spaceOf } from './blobs.ts';

export type JudgeJob = {
  readonly genome: Plain<Genome>;
  /** Kernels in WebAssembly and native ones round differently: a search uses one of them. */
  readonly host: HostName;
};

export type Judgement = { readonly correct: number; readonly count: number };

const statesIn = oncePerBlob((bytes) => allStates(bytes, 'the weights of a job'));

const hosts = new Map<HostName, Promise<ReturnType<typeof reusedMemory>>>();

/** One host of each name, whose memory all networks take turns in. */
function hostNamed(name: HostName): Promise<ReturnType<typeof reusedMemory>> {
  const known = hosts.get(name) ?? openHost(name).then(reusedMemory);
  hosts.set(name, known);
  return known;
}

/**
 * Judges a network of the blob `space` with the `weights` of its supernet by the items `heldOut`, after its moments were
 * taken anew from the items `calibration`.
 */
export const JUDGE_KIND: Kind<JudgeJob, Judgement> = {
  name: 'search-judge',
  async run({ genome, host }, blobs) {
    const space = spaceOf(blobs.space!);
    const { correct, count } = judgePart(
      networkOfGenome(space, largestGenome(space)),
      statesIn(blobs.weights!),
      networkOfGenome(space, genome),
      itemsIn(blobs.calibration!),
      itemsIn(blobs.heldOut!),
      await hostNamed(host),
    );
    return { correct, count };
  },
};
