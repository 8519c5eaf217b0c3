/** One trial of the contribution analysis: a short training with the device's arithmetic. */
import { deserialize, serialize } from 'node:v8';
import type { Graph } from '../ir/types.ts';
import { parseScheme, type Scheme } from '../learn/scheme.ts';
import { chooseHost } from '../run/engine/host.ts';
import { Rehearsal } from '../run/rehearsal.ts';
import type { Blobs, Kind } from '../workers/workers.ts';
import { accuracy, rehearse } from './epochs.ts';
import type { FeatureSet } from './features.ts';

/** Raw bytes of the network's inputs one behind the other, and their labels. */
export interface Samples {
  readonly images: Uint8Array;
  readonly labels: Int32Array;
}

/** What all trials of an analysis have in common. */
export interface TrialSetting {
  /** After `prepareForTraining`. */
  readonly model: Graph;
  readonly train: Samples;
  /** Held out: accuracy is measured with it. */
  readonly held: Samples;
  readonly epochs: number;
  readonly rate: number;
}

export type TrialJob = {
  /** As JSON. */
  readonly scheme: string;
  readonly seed: number;
};

const SETTING = 'setting';

export function settingBlobs(setting: TrialSetting): Blobs {
  return { [SETTING]: serialize(setting) };
}

const settings = new WeakMap<Uint8Array, TrialSetting>();

function settingOf(blobs: Blobs): TrialSetting {
  const bytes = blobs[SETTING]!;
  const setting = settings.get(bytes) ?? (deserialize(bytes) as TrialSetting);
  settings.set(bytes, setting);
  return setting;
}

/** Integers throughout: every host gives the same. Result: the accuracy on what is held out, 0 to 1. */
export const TRIAL: Kind<TrialJob, number> = {
  name: 'trial',
  async run({ scheme, seed }, blobs) {
    const setting = settingOf(blobs);
    const rehearsal = await trainBriefly({ ...setting, scheme: parseScheme(scheme, 'trial'), seed });
    return accuracy(rehearsal, featuresInMemory(rehearsal, setting.held));
  },
};

export interface BriefTraining extends Omit<TrialSetting, 'held'> {
  readonly scheme: Scheme;
  readonly seed: number;
}

/** A rehearsal after the training of a trial. */
export async function trainBriefly(training: BriefTraining): Promise<Rehearsal> {
  const { model, scheme, train, epochs, rate, seed } = training;
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
