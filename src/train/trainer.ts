/** Trains a float32 network on the host engine, by a recipe. */
import { LEARNING_RATE, trainingGraph } from '../autodiff/training.ts';
import type { Dataset } from '../data/dataset.ts';
import { shuffled, split } from '../data/split.ts';
import { type Engine, type EngineHost, openEngine } from '../run/engine/engine.ts';
import { Batches, type Items, readItems } from './batches.ts';
import { type Checkpoint, type EpochResult, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import {
  evaluate,
  MOMENTS,
  placesOf,
  recalibrate,
  type States,
  setStates,
  statesOf,
  type Trainable,
} from './evaluation.ts';
import { type Recipe, rateAt } from './recipe.ts';

export interface TrainOptions {
  readonly host: EngineHost;
  /** Height, width and channels that the network takes. */
  readonly shape: Items['shape'];
  /** To begin with, instead of what the seed gives; names that the network lacks are ignored. */
  readonly states?: States;
  /** A file that holds where the training stands after each epoch, and from which it goes on. */
  readonly checkpoint?: { readonly path: string; readonly identity: string };
  /** Called after every epoch, and about every second. */
  readonly onEpoch?: (result: EpochResult) => void;
  readonly onProgress?: (progress: Progress) => void;
  /** Stops between two steps; `train` rejects with its reason. */
  readonly signal?: AbortSignal;
}

export interface Progress {
  /** Steps done and in all. */
  readonly step: number;
  readonly steps: number;
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

/** Behind the names of what an optimiser remembers. */
const VELOCITY = '/velocity';
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
  const { host, shape, checkpoint, onEpoch, signal } = options;
  const parts =
    recipe.heldOut > 0 ? split(data, recipe.heldOut, recipe.seed) : { first: undefined, second: data };
  const items = readItems(parts.second, shape);
  const heldOut = parts.first && readItems(parts.first, shape);
  const run = new TrainingRun(network, items, recipe, options);
  const earlier = checkpoint && (await readCheckpoint(checkpoint.path, checkpoint.identity));
  if (earlier !== undefined) run.resume(earlier);
  const final = (): Map<string, Float32Array> =>
    recipe.recalibration > 0
      ? recalibrate(
          network,
          run.result(),
          items,
          shuffled(items.count, recipe.seed),
          recipe.recalibration,
          host,
        )
      : run.result();
  const epochs: EpochResult[] = [...(earlier?.epochs ?? [])];
  while (epochs.length < recipe.epochs) {
    const start = performance.now();
    const loss = await run.epoch(epochs.length, options.onProgress, signal);
    const heldOutAccuracy = heldOut ? evaluate(network, final(), heldOut, host).accuracy : null;
    const seconds = (performance.now() - start) / 1000;
    const result = { epoch: epochs.length + 1, loss, heldOutAccuracy, seconds };
    epochs.push(result);
    if (checkpoint) await writeCheckpoint(checkpoint.path, run.checkpoint(checkpoint.identity, epochs));
    onEpoch?.(result);
  }
  const counts = { train: items.count, heldOut: heldOut?.count ?? 0 };
  return { states: final(), epochs, counts };
}

class TrainingRun {
  private readonly engine: Engine;
  private readonly batches: Batches;
  private readonly items: Items;
  private readonly recipe: Recipe;
  /** Of the averaged parameters: what the engine has, and their averages. */
  private readonly averages: readonly { readonly name: string; now: Float32Array; average: Float32Array }[];

  constructor(network: Trainable, items: Items, recipe: Recipe, { host, states }: TrainOptions) {
    const { batch, smoothing, momentum, decay, seed } = recipe;
    const optimizer = { kind: 'sgd', momentum, decay, nesterov: true, decayed: 'weights' } as const;
    this.engine = openEngine(trainingGraph(network({ batch, smoothing, seed }), 'loss', { optimizer }), host);
    if (states !== undefined) setStates(this.engine, states);
    this.batches = new Batches(items, placesOf(this.engine));
    this.items = items;
    this.recipe = recipe;
    const averaged = recipe.average > 0 ? this.engine.stateNames().filter(isParameter) : [];
    this.averages = averaged.map((name) => {
      const now = this.engine.state(name);
      return { name, now, average: now.slice() };
    });
  }

  resume({ states, average }: Checkpoint): void {
    setStates(this.engine, states);
    for (const entry of this.averages) entry.average.set(average.get(entry.name)!);
  }

  checkpoint(identity: string, epochs: readonly EpochResult[]): Checkpoint {
    const average = new Map(this.averages.map(({ name, average: values }) => [name, values]));
    return { identity, epochs: [...epochs], states: statesOf(this.engine), average };
  }

  /** Parameters, averaged if the recipe says so, and moments. */
  result(): Map<string, Float32Array> {
    const states = new Map([...statesOf(this.engine)].filter(([name]) => !name.endsWith(VELOCITY)));
    for (const { name, average } of this.averages) states.set(name, average.slice());
    return states;
  }

  /** All steps of epoch `index`; the items behind the last whole batch are left out. @returns the mean loss */
  async epoch(
    index: number,
    onProgress: TrainOptions['onProgress'],
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const { batch, seed, augmentation, epochs } = this.recipe;
    const order = shuffled(this.items.count, Math.imul(seed, 0x85ebca6b) + index);
    const perEpoch = Math.max(1, Math.floor(this.items.count / batch));
    const rate = this.engine.input(LEARNING_RATE);
    const loss = this.engine.output('loss');
    const start = performance.now();
    let [sum, told] = [0, start];
    for (let i = 0; i < perEpoch; ++i) {
      const step = index * perEpoch + i;
      rate[0] = rateAt(this.recipe, step, perEpoch);
      this.batches.fill(order, i * batch, augmentation, Math.imul(seed, 0xc2b2ae35) + index);
      this.engine.run();
      this.follow(step);
      sum += Number(loss[0]);
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

  /** Averages follow the parameters, faster in the beginning. */
  private follow(step: number): void {
    const share = 1 - Math.min(this.recipe.average, (step + 1) / (step + 10));
    for (const { now, average } of this.averages) {
      for (let i = 0; i < now.length; ++i) average[i]! += share * (now[i]! - average[i]!);
    }
  }
}

function isParameter(name: string): boolean {
  return !name.endsWith(VELOCITY) && !name.endsWith(MOMENTS);
}
