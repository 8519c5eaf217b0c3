/** Epochs of training with the device's arithmetic, and what comes of them. */
import { shuffled } from '../data/split.ts';
import type { Learner } from '../run/rehearsal.ts';
import type { FeatureSet } from './features.ts';

export interface RehearseOptions {
  readonly epochs: number;
  /** Highest learning rate; it falls to 0 along a cosine. */
  readonly rate: number;
  /** Of the order of samples. */
  readonly seed: number;
  readonly tell: (epoch: number, done: number, all: number) => void;
}

export interface EpochResult {
  /** 0: before training. */
  readonly epoch: number;
  /** Mean over the samples of the epoch; null before training. */
  readonly loss: number | null;
  /** Share of training samples that were right before their step; null before training. */
  readonly trainAccuracy: number | null;
  readonly testAccuracy: number;
}

/** Trains sample by sample; yields before the first epoch and after each. */
export async function* rehearse(
  learner: Learner,
  train: FeatureSet,
  test: FeatureSet,
  { epochs, rate, seed, tell }: RehearseOptions,
): AsyncGenerator<EpochResult> {
  yield { epoch: 0, loss: null, trainAccuracy: null, testAccuracy: accuracy(learner, test) };
  const steps = epochs * train.count;
  for (let epoch = 1; epoch <= epochs; ++epoch) {
    const order = shuffled(train.count, seed * 1000 + epoch);
    let [loss, right] = [0, 0];
    for (const [i, sample] of order.entries()) {
      const step = (epoch - 1) * train.count + i;
      const current = rate * 0.5 * (1 + Math.cos((Math.PI * step) / steps));
      const label = train.label(sample);
      const result = learner.step(train.features(sample), label, current);
      loss += result.loss;
      right += Number(result.predicted === label);
      if (i % 500 === 499) {
        tell(epoch, i + 1, train.count);
        // Lets whoever listens to the terminal have a turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    yield {
      epoch,
      loss: loss / train.count,
      trainAccuracy: right / train.count,
      testAccuracy: accuracy(learner, test),
    };
  }
}

export function accuracy(learner: Learner, test: FeatureSet): number {
  let right = 0;
  for (let i = 0; i < test.count; ++i) right += Number(learner.predict(test.features(i)) === test.label(i));
  return right / test.count;
}
