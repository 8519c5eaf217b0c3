/** What a recipe drives: parameters that change with every batch. */
import { LEARNING_RATE, trainingGraph } from '../autodiff/training.ts';
import { type Engine, type EngineHost, openEngine } from '../run/engine/engine.ts';
import type { BatchPlaces } from './batches.ts';
import { MOMENTS, placesOf, type States, setStates, statesOf, type Trainable } from './evaluation.ts';
import type { Recipe } from './recipe.ts';

export interface Learner {
  /** Where the items of the next batch go. */
  readonly places: BatchPlaces;
  /** What is trained, in place. */
  readonly parameters: States;
  /**
   * Learns from what the places hold.
   * @param step counted from 0 over all epochs: what is drawn depends on it alone
   * @returns the loss
   */
  step(rate: number, step: number): number;
  /** Copies of everything that the next steps depend on. */
  save(): Map<string, Float32Array>;
  /** Goes on from what was saved; names that the network lacks are ignored. */
  restore(states: States): void;
}

/** Behind the names of what an optimiser remembers. */
export const VELOCITY = '/velocity';

/** Parameters and moments among saved states: what a network computes with. */
export function withoutMemory(states: States): Map<string, Float32Array> {
  return new Map([...states].filter(([name]) => !name.endsWith(VELOCITY)));
}

/** One network, by one program that computes gradients and changes the parameters. */
export class NetworkLearner implements Learner {
  readonly places: BatchPlaces;
  readonly parameters: States;
  private readonly engine: Engine;

  constructor(network: Trainable, recipe: Recipe, host: EngineHost) {
    const { batch, smoothing, momentum, decay, seed } = recipe;
    const optimizer = { kind: 'sgd', momentum, decay, nesterov: true, decayed: 'weights' } as const;
    const engine = openEngine(
      trainingGraph(network({ batch, smoothing, seed }), 'loss', { optimizer }),
      host,
    );
    this.engine = engine;
    this.places = placesOf(engine);
    const names = engine.stateNames().filter((name) => !name.endsWith(VELOCITY) && !name.endsWith(MOMENTS));
    this.parameters = new Map(names.map((name) => [name, engine.state(name)]));
  }

  step(rate: number): number {
    this.engine.input(LEARNING_RATE)[0] = rate;
    this.engine.run();
    return Number(this.engine.output('loss')[0]);
  }

  save(): Map<string, Float32Array> {
    return statesOf(this.engine);
  }

  restore(states: States): void {
    setStates(this.engine, states);
  }
}
