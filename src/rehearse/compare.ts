/** The device's arithmetic beside others, with several seeds. */

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
  tell(text: string): void;
}

/** One run after the other; all see the samples of a seed in the same order. */
export async function compare(
  train: FeatureSet,
  test: FeatureSet,
  { arithmetics, seeds, epochs, rateOf, learner, tell }: Comparison,
): Promise<RehearsalRun[]> {
  const runs: RehearsalRun[] = [];
  for (const arithmetic of arithmetics) {
    for (const seed of seeds) {
      const rate = rateOf(arithmetic);
      const title = seeds.length * arithmetics.length > 1 ? `${arithmetic}, seed ${seed}, ` : '';
      const options: RehearseOptions = {
        ...{ epochs, rate, seed },
        tell: (epoch, done, all) => tell(`${title}epoch ${epoch} of ${epochs}: ${done} of ${all} steps`),
      };
      const curve: EpochResult[] = [];
      for await (const result of rehearse(learner(arithmetic, seed), train, test, options)) {
        curve.push(result);
        const loss = result.loss === null ? '' : `, loss ${result.loss.toFixed(3)}`;
        tell(`${title}epoch ${result.epoch}: test ${(100 * result.testAccuracy).toFixed(2)} %${loss}`);
      }
      runs.push({ arithmetic, seed, rate, curve, testAccuracy: curve.at(-1)!.testAccuracy });
    }
  }
  return runs;
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
