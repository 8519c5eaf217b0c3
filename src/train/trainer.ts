/** Trains float32 networks on the host engine, by a recipe. */
import type { Dataset } from '../data/dataset.ts';
import { shuffled, split } from '../data/split.ts';
import type { EngineHost } from '../run/engine/engine.ts';
import { Averages } from './averages.ts';
import { Batches, type Items, readItems } from './batches.ts';
import { type EpochResult, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { evaluate, recalibrate, type States, type Trainable } from './evaluation.ts';
import { type Learner, NetworkLearner, withoutMemory } from './learner.ts';
import { type Recipe, rateAt } from './recipe.ts';

export interface RunOptions {
  /** A file that holds where the training stands after each epoch, and from which it goes on. */
  readonly checkpoint?: { readonly path: string; readonly identity: string };
  /** Called after every epoch, and about every second. */
  readonly onEpoch?: (result: EpochResult) => void;
  readonly onProgress?: (progress: Progress) => void;
  /** Stops between two steps; the promise is rejected with its reason. */
  readonly signal?: AbortSignal;
}

export interface TrainOptions extends RunOptions {
  readonly host: EngineHost;
  /** Height, width and channels that the network takes. */
  readonly shape: Items['shape'];
  /** To begin with, instead of what the seed gives; names that the network lacks are ignored. */
  readonly states?: States;
}

export interface Progress {
  /** Steps done and in all. */
  readonly step: number;
  readonly steps: number;
  /** Mean since the epoch began. */
  readonly loss: number;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
}

export interface Trained {
  /** Parameters and moments, no memory of the optimiser. */
  readonly states: States;
  readonly epochs: readonly EpochResult[];
  /** Items that were trained with, and those that were held out. */
  readonly counts: { readonly train: number; readonly heldOut: number };
}

const PROGRESS_MS = 1000;

/**
 * Trains `network` with `data`. The result depends on network, data, recipe and kind of host alone: a training that was
 * killed at any point and goes on from its checkpoint ends with the same bytes.
 * @throws RivuletError RV4006 for items of another shape, RV5003 for a checkpoint of another training
 */
export async function train(
  network: Trainable,
  data: Dataset,
  recipe: Recipe,
  options: TrainOptions,
): Promise<Trained> {
  const { host, shape, states: begin } = options;
  const { items, heldOut } = partsOf(data, recipe, shape);
  const learner = new NetworkLearner(network, recipe, host);
  if (begin !== undefined) learner.restore(begin);
  const order = shuffled(items.count, recipe.seed);
  const finish = (states: States): States =>
    recipe.recalibration > 0
      ? recalibrate(network, states, items, order, recipe.recalibration, host)
      : states;
  const judge = heldOut && ((states: States) => evaluate(network, finish(states), heldOut, host).accuracy);
  const { states, epochs } = await runRecipe(learner, items, recipe, options, judge);
  return { states: finish(states), epochs, counts: { train: items.count, heldOut: heldOut?.count ?? 0 } };
}

/** What a recipe trains with, and what it keeps away from that, in memory. */
export function partsOf(
  data: Dataset,
  { heldOut, seed }: Recipe,
  shape: Items['shape'],
): { readonly items: Items; readonly heldOut: Items | undefined } {
  if (heldOut === 0) return { items: readItems(data, shape), heldOut: undefined };
  const { first, second } = split(data, heldOut, seed);
  return { items: readItems(second, shape), heldOut: readItems(first, shape) };
}

/**
 * All epochs of a recipe, but for those that a checkpoint has behind it.
 * @param judge the accuracy of a network with these parameters and moments, asked for after every epoch
 * @returns parameters, averaged if the recipe says so, and moments
 */
export async function runRecipe(
  learner: Learner,
  items: Items,
  recipe: Recipe,
  { checkpoint, onEpoch, onProgress, signal }: RunOptions,
  judge?: (states: States) => number,
): Promise<Pick<Trained, 'states' | 'epochs'>> {
  const averages = new Averages(learner.parameters, recipe.average);
  const earlier = checkpoint && (await readCheckpoint(checkpoint.path, checkpoint.identity));
  if (earlier !== undefined) {
    learner.restore(earlier.states);
    averages.restore(earlier.average);
  }
  const result = (): States => new Map([...withoutMemory(learner.save()), ...averages.save()]);
  const epochs: EpochResult[] = [...(earlier?.epochs ?? [])];
  while (epochs.length < recipe.epochs) {
    const start = performance.now();
    const cpu = process.cpuUsage();
    const loss = await runEpoch(learner, items, recipe, averages, epochs.length, onProgress, signal);
    const heldOutAccuracy = judge?.(result()) ?? null;
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const cpuSeconds = (user + system) / 1e6;
    epochs.push({ epoch: epochs.length + 1, loss, heldOutAccuracy, seconds, cpuSeconds });
    if (checkpoint) {
      const { path, identity } = checkpoint;
      const average = averages.save();
      await writeCheckpoint(path, { identity, epochs, states: learner.save(), average });
    }
    onEpoch?.(epochs.at(-1)!);
  }
  return { states: result(), epochs };
}

/** All steps of epoch `index`; the items behind the last whole batch are left out. @returns the mean loss */
async function runEpoch(
  learner: Learner,
  items: Items,
  recipe: Recipe,
  averages: Averages,
  index: number,
  onProgress: RunOptions['onProgress'],
  signal: AbortSignal | undefined,
): Promise<number> {
  const { batch, seed, augmentation, epochs } = recipe;
  const batches = new Batches(items, learner.places);
  const order = shuffled(items.count, Math.imul(seed, 0x85ebca6b) + index);
  const perEpoch = Math.max(1, Math.floor(items.count / batch));
  const start = performance.now();
  let [sum, told] = [0, start];
  for (let i = 0; i < perEpoch; ++i) {
    const step = index * perEpoch + i;
    batches.fill(order, i * batch, augmentation, Math.imul(seed, 0xc2b2ae35) + index);
    sum += learner.step(rateAt(recipe, step, perEpoch), step);
    averages.follow(step);
    signal?.throwIfAborted();
    const now = performance.now();
    if (now - told < PROGRESS_MS) continue;
    told = now;
    const perStep = (now - start) / (i + 1) / 1000;
    const steps = epochs * perEpoch;
    onProgress?.({
      step: step + 1,
      steps,
      loss: sum / (i + 1),
      imagesPerSecond: batch / perStep,
      secondsLeft: perStep * (steps - step - 1),
    });
    // Whoever waits for the process, such as a signal, gets a turn.
    await new Promise(setImmediate);
  }
  return sum / perEpoch;
}
