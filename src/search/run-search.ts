/** A search in a trained supernet: from data, a target and limits to the best network that keeps them. */
import { join } from 'node:path';
import { fail } from '../core/diagnostics.ts';
import { estimateInstructions } from '../cost/instructions.ts';
import type { Space } from '../nas/space.ts';
import { contentHash } from '../run/cache.ts';
import type { HostName } from '../run/engine/host.ts';
import { networkOfGenome } from '../supernet/train.ts';
import type { Target } from '../targets/index.ts';
import type { NetworkDescription } from '../train/blocks.ts';
import { partsOf } from '../train/trainer.ts';
import { BUILD } from '../version.ts';
import type { Workers } from '../workers/workers.ts';
import { best, evolve, type Judged, type Options, type Settings } from './evolution.ts';
import { undominated } from './front.ts';
import { Ledger } from './ledger.ts';
import type { Limits } from './limits.ts';
import { type NamedData, supernetItems } from './make-supernet.ts';
import { NetworkOracle, type OracleOptions } from './network-oracle.ts';
import { fitPredictor } from './predictor.ts';
import { labelsHash, type SupernetFolder } from './supernet-folder.ts';
import type { Cost, WayName } from './ways.ts';

export type Found = Judged<Cost>;

export interface SearchRequest {
  readonly supernet: SupernetFolder;
  readonly data: NamedData;
  readonly target: Target;
  readonly limits: Limits;
  /** How networks may be scheduled. */
  readonly ways: readonly WayName[];
  readonly settings: Settings;
  /** Whether accuracies are guessed before they are measured. */
  readonly predictor: boolean;
  readonly host: HostName;
  readonly workers: Workers;
  /** The file that keeps what is known about networks; other searches under the same limits may go on with it. */
  readonly ledger: string;
  readonly progress?: Pick<OracleOptions, 'onProgress'> & Pick<Options<Cost>, 'onGeneration' | 'signal'>;
}

export interface SearchResult {
  /** With blocks named as in the space: the layers that it inherits. */
  readonly winner: Found & { readonly network: NetworkDescription };
  /** Networks that no other beats in accuracy, SRAM, flash and latency, the most accurate first. */
  readonly front: readonly Found[];
  readonly judged: readonly Found[];
  readonly heldOut: number;
}

/**
 * @throws RivuletError RV6003 where no network fits, RV6004 for data that the supernet was not trained with or a ledger of
 * another search, RV3001 for a limit on a latency that is not known
 */
export async function runSearch(request: SearchRequest): Promise<SearchResult> {
  const { supernet, data, target, limits, ways, settings, host, workers, progress = {} } = request;
  const { space, record, weights } = supernet;
  const { items, heldOut } = searchParts(supernet, data);
  const identity = contentHash(
    ['search', record.identity, contentHash([Buffer.from(weights).toString('base64')]), target.name, limits]
      .concat([[...ways].join(), host, BUILD])
      .map((part) => JSON.stringify(part)),
  );
  const ledger = new Ledger(request.ledger, identity);
  try {
    const { onProgress, ...options } = progress;
    const oracle = new NetworkOracle({
      ...{ space, weights, items, heldOut, target, limits, ways, host, workers, ledger },
      ...(onProgress && { onProgress }),
    });
    const predict = (judged: readonly Found[]) =>
      fitPredictor(
        space,
        judged.map(({ genome }) => genome),
        judged.map(({ accuracy }) => accuracy),
      );
    const judged = await evolve(space, settings, oracle, {
      ...options,
      ...(request.predictor && { predict }),
    });
    const winner = best(judged, 1)[0]!;
    return {
      winner: { ...winner, network: networkOfGenome(space, winner.genome) },
      front: frontOf(judged),
      judged,
      heldOut: heldOut.count,
    };
  } finally {
    ledger.close();
  }
}

function frontOf(judged: readonly Found[]): Found[] {
  const costs = [
    ({ cost }: Found) => cost.sram,
    ({ cost }: Found) => cost.flash,
    ({ cost }: Found) => cost.latency ?? 0,
  ];
  return best(
    undominated(judged, costs, ({ accuracy }) => accuracy),
    judged.length,
  );
}

/** What the weights have learnt from, and what they have not seen. */
export function searchParts({ space, record }: SupernetFolder, data: NamedData) {
  const dataset = supernetItems(data, record.data.items, record.plan.shared.seed);
  if (labelsHash(dataset.labels) !== record.data.labels) {
    fail('RV6004', `the supernet was trained with other data, "${record.data.folder}"`, { origin: '--data' });
  }
  const side = space.resolutions[0]!;
  const { items, heldOut } = partsOf(dataset, record.plan.shared, [side, side, space.imageChannels]);
  if (heldOut === undefined) {
    return fail('RV6004', 'nothing was held out of the training of the supernet to judge networks by', {
      origin: '--supernet',
      hint: 'train one with "heldOut" in its effort',
    });
  }
  return { items, heldOut };
}

/**
 * The limits of a search: those of the target, but for what is given.
 * @throws RivuletError RV3001 where neither says anything, or latency is limited and cannot be estimated
 */
export function limitsFor(target: Target, given: Partial<Limits>): Limits {
  const [sram, flash] = [given.sram ?? target.sram, given.flash ?? target.flash];
  if (sram === undefined || flash === undefined) {
    return fail('RV3001', `${target.name} is a core and sets no limits`, {
      origin: '--target',
      hint: 'name a board, or add --max-sram and --max-flash',
    });
  }
  if (
    given.latency !== undefined &&
    estimateInstructions({ calls: [] }, target.core.name, 'speed') === null
  ) {
    fail('RV3001', `latencies on ${target.name} are not known`, {
      origin: '--max-latency',
      hint: 'name a microcontroller, or limit --max-macs',
    });
  }
  return { ...given, sram, flash };
}

/** Where a search keeps what it knows, unless told. */
export function ledgerIn(folder: string): string {
  return join(folder, 'candidates.jsonl');
}

/** What a space is called in pictures and messages. */
export function spaceText({ name, widths, resolutions }: Space): string {
  const width = widths.length === 1 ? `, width ${widths[0]}` : '';
  return `${name}${width}, ${resolutions.join(', ')} pixels`;
}
