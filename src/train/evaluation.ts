/** What a network is worth: accuracy, and moments of batch normalisation that fit its parameters. */

import type { Graph } from '../ir/types.ts';
import { type Engine, type EngineHost, openEngine } from '../run/engine/engine.ts';
import { Batches, type BatchPlaces, type Items } from './batches.ts';
import type { TrainableOptions } from './blocks.ts';
import { inferenceGraph } from './inference.ts';

/** A network in whatever form it is needed: see `networkOf`. */
export type Trainable = (options: TrainableOptions) => Graph;

/** Parameters and moments by name. */
export type States = ReadonlyMap<string, Float32Array>;

/** Behind the names of moments. */
export const MOMENTS = '/moments';

export function placesOf(engine: Engine): BatchPlaces {
  return { image: engine.input('image') as Float32Array, labels: engine.input('labels') as Int32Array };
}

/** Writes the states that the engine has; those of an optimiser may be missing on either side. */
export function setStates(engine: Engine, states: States): void {
  for (const name of engine.stateNames()) {
    const values = states.get(name);
    if (values !== undefined) engine.state(name).set(values);
  }
}

/** Copies of an engine's states. */
export function statesOf(engine: Engine): Map<string, Float32Array> {
  return new Map(engine.stateNames().map((name) => [name, engine.state(name).slice()]));
}

export interface Evaluation {
  readonly correct: number;
  readonly count: number;
  /** correct / count */
  readonly accuracy: number;
}

/** Items a batch, where nothing is trained. */
export const BATCH = 64;

/** How many of the items have their label's logit above all others, in the network as `inferenceGraph` makes it. */
export function evaluate(network: Trainable, states: States, items: Items, host: EngineHost): Evaluation {
  const engine = openEngine(inferenceGraph(network, states, BATCH), host);
  const image = engine.input('image') as Float32Array;
  const batches = new Batches(items, { image, labels: new Int32Array(BATCH) });
  const logits = engine.output('logits') as Float32Array;
  const classes = logits.length / BATCH;
  const order = Uint32Array.from({ length: items.count }, (_, i) => i);
  let correct = 0;
  for (let first = 0; first < items.count; first += BATCH) {
    const count = batches.fill(order, first);
    engine.run();
    for (let i = 0; i < count; ++i) {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      if (row.indexOf(Math.max(...row)) === items.labels[first + i]) ++correct;
    }
  }
  return { correct, count: items.count, accuracy: correct / items.count };
}

/**
 * The states with moments that are means over `count` batches of the first items in `order`, each normalised by its own:
 * what averages that run along with a training are not, nor those of a larger network's parameters.
 */
export function recalibrate(
  network: Trainable,
  states: States,
  items: Items,
  order: Uint32Array,
  count: number,
  host: EngineHost,
): Map<string, Float32Array> {
  const engine = openEngine(network({ batch: BATCH, mode: 'train', averageRate: 1 }), host);
  setStates(engine, states);
  const batches = new Batches(items, placesOf(engine));
  const moments = engine.stateNames().filter((name) => name.endsWith(MOMENTS));
  const sums = new Map(moments.map((name) => [name, new Float64Array(engine.state(name).length)]));
  const whole = Math.max(1, Math.min(count, Math.floor(items.count / BATCH)));
  for (let batch = 0; batch < whole; ++batch) {
    batches.fill(order, batch * BATCH);
    engine.run();
    for (const [name, sum] of sums) addTo(sum, engine.state(name));
  }
  const means = [...sums].map(([name, sum]) => [name, Float32Array.from(sum, (x) => x / whole)] as const);
  return new Map([...states, ...means]);
}

function addTo(sum: Float64Array, values: Float32Array): void {
  for (let i = 0; i < sum.length; ++i) sum[i]! += values[i]!;
}
