/**
 * Contribution analysis: what training each layer is worth, by short trainings on a part of the user's data in the device's
 * arithmetic. All trials begin with the same classifier, which was trained first, so that gradients are worth something from
 * the first step. Every finished trial is kept.
 */
import type { Graph } from '../ir/types.ts';
import { type Contributions, contributionsOf, type TrialScheme, trialsOf } from '../learn/contributions.ts';
import { withClassifier } from '../learn/head.ts';
import { layersOf } from '../learn/layers.ts';
import { parseScheme, type Scheme } from '../learn/scheme.ts';
import { contentHash } from '../run/cache.ts';
import type { Workers } from '../workers/workers.ts';
import { type BriefTraining, type Samples, settingBlobs, TRIAL, trainBriefly } from './trial.ts';
import { TrialLog } from './trial-log.ts';

export interface AnalysisOptions {
  readonly classes: number;
  readonly train: Samples;
  readonly held: Samples;
  /** Last layers before the classifier that are analysed. */
  readonly depth: number;
  readonly ratios: readonly number[];
  readonly epochs: number;
  readonly rate: number;
  /** Each trial is run with the seeds 1 to this. */
  readonly seeds: number;
  readonly workers: Workers;
  /** Of the model, and of the program that computes with it: finished trials are kept under this, the samples and the rest. */
  readonly identity: string;
  /** Trials done, of all, and of these how many were known before. */
  readonly tell: (done: number, all: number, known: number) => void;
}

/** Epochs, as many times those of a trial, in which the classifier is trained first. */
const HEAD_START = 4;

/** @param model after `prepareForTraining` */
export async function analyse(model: Graph, options: AnalysisOptions): Promise<Contributions> {
  const { classes, train, held, depth, ratios, epochs, rate, seeds, workers, identity, tell } = options;
  const layers = layersOf(model).length - 1;
  const schemes = trialsOf(layers, depth, ratios);
  const jobs = schemes.flatMap((scheme) =>
    Array.from({ length: seeds }, (_, i) => ({ scheme, seed: i + 1, name: trialName(scheme, i + 1) })),
  );
  const samples = [train, held].flatMap(({ images, labels }) => [
    Buffer.from(images).toString('base64'),
    labels.join(),
  ]);
  const log = await TrialLog.open(
    contentHash([identity, ...samples, String(classes), String(epochs), String(rate), String(HEAD_START)]),
  );
  const found = new Map<string, number>();
  for (const { name } of jobs) {
    const accuracy = log.accuracy(name);
    if (accuracy !== undefined) found.set(name, accuracy);
  }
  const known = found.size;
  const missing = jobs.filter(({ name }) => !found.has(name));
  tell(known, jobs.length, known);
  if (missing.length > 0) {
    const started = await withTrainedClassifier(model, classes, { train, epochs, rate });
    const onResult = (accuracy: number, index: number): void => {
      const { name } = missing[index]!;
      log.add(name, accuracy);
      found.set(name, accuracy);
      tell(found.size, jobs.length, known);
    };
    await workers.map({
      kind: TRIAL,
      jobs: missing.map(({ scheme, seed }) => ({ scheme: JSON.stringify(schemeOf(scheme)), seed })),
      blobs: settingBlobs({ model: started, train, held, epochs, rate }),
      onResult,
    });
  }
  const accuracies = schemes.map((scheme) =>
    Array.from({ length: seeds }, (_, i) => found.get(trialName(scheme, i + 1))!),
  );
  return contributionsOf(layers, schemes, accuracies);
}

function trialName({ biases, weights }: TrialScheme, seed: number): string {
  const part = weights === undefined ? '' : ` weights ${weights.layer} x ${weights.ratio}`;
  return `biases ${biases}${part} seed ${seed}`;
}

function schemeOf({ biases, weights }: TrialScheme, classes?: number): Scheme {
  const scheme = { biases, weights: weights === undefined ? [] : [weights], classes };
  return parseScheme(JSON.stringify(scheme), 'trial');
}

/** The model with a classifier for other classes that has learnt for a while; nothing else has changed. */
async function withTrainedClassifier(
  model: Graph,
  classes: number,
  options: Pick<BriefTraining, 'train' | 'epochs' | 'rate'>,
): Promise<Graph> {
  const scheme = schemeOf({ biases: 0 }, classes);
  const epochs = HEAD_START * options.epochs;
  const rehearsal = await trainBriefly({ ...options, model, scheme, epochs, seed: 1 });
  const layer = layersOf(model).length - 1;
  return withClassifier(
    model,
    new Int8Array(rehearsal.state(`weights ${layer}`).slice().buffer),
    new Int32Array(rehearsal.state(`bias ${layer}`).slice().buffer),
  );
}
