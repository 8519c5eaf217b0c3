/** The device's arithmetic beside others, with several seeds. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder, contentHash } from '../run/cache.ts';
import type { Learner } from '../run/rehearsal.ts';
import { type EpochResult, type RehearseOptions, rehearse } from './epochs.ts';
import type { FeatureSet } from './features.ts';

/** device: as the scheme says. no-qas: the same integers without quantisation-aware scaling. */
export const ARITHMETICS = ['device', 'float32', 'no-qas'] as const;
export type Arithmetic = (typeof ARITHMETICS)[number];

export interface RehearsalRun {
  readonly arithmetic: Arithmetic;
  readonly seed: number;
  readonly rate: number;
  /** Before training, and after each epoch. */
  readonly curve: readonly EpochResult[];
  readonly testAccuracy: number;
}

/** Test accuracy of the runs of one arithmetic. */
export interface Spread {
  readonly arithmetic: Arithmetic;
  readonly runs: number;
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

export interface Comparison {
  readonly arithmetics: readonly Arithmetic[];
  readonly seeds: readonly number[];
  readonly epochs: number;
  rateOf(arithmetic: Arithmetic): number;
  learner(arithmetic: Arithmetic, seed: number): Learner;
  /** What has been learnt, as the device would save it; null of what is no device. */
  stateOf(learner: Learner): Uint8Array | null;
  /** Of everything else that decides about the result: finished runs are kept, and not done again. */
  readonly key: string;
  tell(text: string): void;
}

/** One run after the other; all see the samples of a seed in the same order. `state`: that of the first run. */
export async function compare(
  train: FeatureSet,
  test: FeatureSet,
  comparison: Comparison,
): Promise<{ readonly runs: readonly RehearsalRun[]; readonly state: Uint8Array | null }> {
  const runs: RehearsalRun[] = [];
  let first: string | undefined;
  for (const arithmetic of comparison.arithmetics) {
    for (const seed of comparison.seeds) {
      const { epochs, key, rateOf } = comparison;
      const what = contentHash([key, arithmetic, ...[seed, epochs, rateOf(arithmetic)].map(String)]);
      const folder = await cachedFolder(`rehearsal-${what}`, async (scratch) => {
        const learner = comparison.learner(arithmetic, seed);
        const run = await runOnce(train, test, comparison, learner, arithmetic, seed);
        const state = comparison.stateOf(learner);
        if (state !== null) await writeFile(join(scratch, STATE_FILE), state);
        await writeFile(join(scratch, RUN_FILE), JSON.stringify(run));
      });
      first ??= folder;
      runs.push(JSON.parse(await readFile(join(folder, RUN_FILE), 'utf8')) as RehearsalRun);
    }
  }
  const state = await readFile(join(first!, STATE_FILE)).catch(() => null);
  return { runs, state };
}

const RUN_FILE = 'run.json';
const STATE_FILE = 'state.bin';

async function runOnce(
  train: FeatureSet,
  test: FeatureSet,
  { epochs, rateOf, tell }: Comparison,
  learner: Learner,
  arithmetic: Arithmetic,
  seed: number,
): Promise<RehearsalRun> {
  const rate = rateOf(arithmetic);
  const options: RehearseOptions = {
    ...{ epochs, rate, seed },
    tell: (epoch, done, all) =>
      tell(`${arithmetic}, seed ${seed}, epoch ${epoch} of ${epochs}: ${done} of ${all} steps`),
  };
  const curve: EpochResult[] = [];
  for await (const result of rehearse(learner, train, test, options)) {
    curve.push(result);
    const loss = result.loss === null ? '' : `, loss ${result.loss.toFixed(3)}`;
    tell(
      `${arithmetic}, seed ${seed}, epoch ${result.epoch}: test ${(100 * result.testAccuracy).toFixed(2)} %${loss}`,
    );
  }
  return { arithmetic, seed, rate, curve, testAccuracy: curve.at(-1)!.testAccuracy };
}

export function spreadOf(runs: readonly RehearsalRun[]): Spread[] {
  return [...new Set(runs.map(({ arithmetic }) => arithmetic))].map((arithmetic) => {
    const accuracies = runs.filter((run) => run.arithmetic === arithmetic).map((run) => run.testAccuracy);
    return {
      arithmetic,
      runs: accuracies.length,
      mean: accuracies.reduce((sum, x) => sum + x, 0) / accuracies.length,
      least: Math.min(...accuracies),
      most: Math.max(...accuracies),
    };
  });
}
