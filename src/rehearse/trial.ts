/** One trial of the contribution analysis: a short training with the device's arithmetic. A worker thread's module. */
import type { Graph } from '../ir/types.ts';
import type { Scheme } from '../learn/scheme.ts';
import { chooseHost } from '../run/engine/host.ts';
import { Rehearsal } from '../run/rehearsal.ts';
import { accuracy, rehearse } from './epochs.ts';
import type { FeatureSet } from './features.ts';

/** Raw bytes of the network's inputs one behind the other, and their labels. */
export interface Samples {
  readonly images: Uint8Array;
  readonly labels: Int32Array;
}

export interface Trial {
  /** After `prepareForTraining`. */
  readonly model: Graph;
  readonly scheme: Scheme;
  readonly train: Samples;
  /** Held out: accuracy is measured with it. */
  readonly held: Samples;
  readonly epochs: number;
  readonly rate: number;
  readonly seed: number;
}

/** @returns the accuracy on what is held out, 0 to 1 */
export default async function runTrial(trial: Trial): Promise<number> {
  const rehearsal = await trainBriefly(trial);
  return accuracy(rehearsal, featuresInMemory(rehearsal, trial.held));
}

/** A rehearsal after the training of a trial. */
export async function trainBriefly(trial: Omit<Trial, 'held'>): Promise<Rehearsal> {
  const { model, scheme, train, epochs, rate, seed } = trial;
  const rehearsal = Rehearsal.create(model, scheme, (await chooseHost()).host, seed);
  const options = { epochs, rate, seed, tell: () => undefined };
  const shown = featuresInMemory(rehearsal, train);
  // Nothing to test between epochs: only the end counts.
  for await (const _ of rehearse(rehearsal, shown, { ...shown, count: 0 }, options));
  return rehearsal;
}

function featuresInMemory(rehearsal: Rehearsal, { images, labels }: Samples): FeatureSet {
  const bytes = images.length / labels.length;
  const features = Array.from(labels, (_, i) =>
    rehearsal.features(images.subarray(i * bytes, (i + 1) * bytes)).map((feature) => feature.slice()),
  );
  return { count: labels.length, label: (i) => labels[i]!, features: (i) => features[i]! };
}
