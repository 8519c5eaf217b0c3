/** What networks of a trained supernet cost on a target and are worth on held-out items, by workers, each asked once. */
import { architectureOf } from '../nas/architecture.ts';
import { CostModel } from '../nas/costs.ts';
import { type Genome, keyOf } from '../nas/genome.ts';
import type { Space } from '../nas/space.ts';
import type { HostName } from '../run/engine/host.ts';
import type { Target } from '../targets/index.ts';
import type { Items } from '../train/batches.ts';
import type { Blobs, Workers } from '../workers/workers.ts';
import { calibrationItems, itemsBlob, spaceBlob } from './blobs.ts';
import { COST_KIND } from './cost-kind.ts';
import type { Oracle } from './evolution.ts';
import { JUDGE_KIND } from './judge-kind.ts';
import type { Ledger } from './ledger.ts';
import type { Limits } from './limits.ts';
import { type Cost, refusedByEstimate, type WayName } from './ways.ts';

export interface OracleOptions {
  readonly space: Space;
  /** A safetensors file. */
  readonly weights: Uint8Array;
  /** Items that the weights have learnt from, and items that they have not seen. */
  readonly items: Items;
  readonly heldOut: Items;
  readonly target: Target;
  readonly limits: Limits;
  readonly ways: readonly WayName[];
  readonly host: HostName;
  readonly workers: Workers;
  readonly ledger: Ledger;
  /** Called as networks are compiled and judged: how many of those that were asked for are done. */
  readonly onProgress?: (what: 'compiled' | 'judged', done: number, all: number) => void;
}

export class NetworkOracle implements Oracle<Cost> {
  readonly limits: Limits;
  private readonly options: OracleOptions;
  private readonly model: CostModel;
  private readonly inputBytes: number;
  // The same objects for all batches: what workers make of them is kept with them.
  private readonly costBlobs: Blobs;
  private readonly judgeBlobs: Blobs;

  constructor(options: OracleOptions) {
    const { space, weights, items, heldOut, target, limits } = options;
    this.limits = limits;
    this.options = options;
    this.model = new CostModel(target);
    this.inputBytes = items.shape.reduce((product, n) => product * n, 1);
    this.costBlobs = { space: spaceBlob(space) };
    this.judgeBlobs = {
      space: spaceBlob(space),
      weights,
      calibration: itemsBlob(calibrationItems(items)),
      heldOut: itemsBlob(heldOut),
    };
  }

  refuses(genome: Genome) {
    const { space, ways } = this.options;
    const cost = this.model.network(architectureOf(space, genome));
    return refusedByEstimate(cost, this.inputBytes, ways, this.limits);
  }

  costs(genomes: readonly Genome[]) {
    const { space, target, ways, limits, ledger, workers } = this.options;
    const jobs = genomes.map((genome) => ({
      key: keyOf(space, genome),
      job: { genome, target: target.name, ways, limits },
    }));
    return ledger.map(
      workers,
      COST_KIND,
      jobs,
      { blobs: this.costBlobs },
      this.counter('compiled', jobs.length),
    );
  }

  async accuracies(genomes: readonly Genome[]) {
    const { space, host, ledger, workers } = this.options;
    const jobs = genomes.map((genome) => ({ key: keyOf(space, genome), job: { genome, host } }));
    const progress = this.counter('judged', jobs.length);
    const shared = { blobs: this.judgeBlobs, native: host === 'native' };
    const judgements = await ledger.map(workers, JUDGE_KIND, jobs, shared, progress);
    return judgements.map(({ correct, count }) => correct / count);
  }

  private counter(what: 'compiled' | 'judged', all: number): () => void {
    let done = 0;
    return () => this.options.onProgress?.(what, ++done, all);
  }
}
