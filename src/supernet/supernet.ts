/** Many networks in one: the parts of the largest network's weights train together. */
import { gradientGraph } from '../autodiff/training.ts';
import { fail } from '../core/diagnostics.ts';
import { elementCount, type Graph, type Shape } from '../ir/types.ts';
import type { Program } from '../program/types.ts';
import { Engine, type EngineHost, hostProgram } from '../run/engine/engine.ts';
import { reusedMemory } from '../run/engine/reused-memory.ts';
import type { BatchPlaces } from '../train/batches.ts';
import { type NetworkDescription, networkOf } from '../train/blocks.ts';
import { MOMENTS, placesOf, type States } from '../train/evaluation.ts';
import { type Learner, VELOCITY } from '../train/learner.ts';
import type { Recipe } from '../train/recipe.ts';
import { addPart, takePart } from './sharing.ts';

/** What the networks of a step have in common. */
export type SupernetRecipe = Pick<Recipe, 'batch' | 'smoothing' | 'momentum' | 'decay' | 'seed'>;

interface Parameter {
  readonly name: string;
  readonly shape: Shape;
}

/** A parameter of the largest network. */
interface Shared extends Parameter {
  readonly values: Float32Array;
  readonly gradient: Float32Array;
  readonly velocity: Float32Array;
}

/** Forward and backward; the gradients of the parameters are the last outputs, in this order. */
interface Compiled {
  readonly program: Program;
  readonly parameters: readonly Parameter[];
}

/** Programs that steps may ask for again: the largest network and the smallest come often. */
const KEPT_PROGRAMS = 16;

export class Supernet implements Learner {
  readonly places: BatchPlaces;
  readonly parameters: States;
  private readonly shared: ReadonlyMap<string, Shared>;
  private readonly recipe: SupernetRecipe;
  private readonly host: EngineHost;
  private readonly draw: (step: number) => readonly NetworkDescription[];
  private readonly programs = new Map<string, Compiled>();

  /**
   * @param largest a network of which all others are parts: blocks of the same names, with no larger shapes
   * @param draw the networks of a step: each learns from the same batch, and the mean of their gradients counts. Equal steps
   * must give equal networks.
   */
  constructor(
    largest: NetworkDescription,
    recipe: SupernetRecipe,
    host: EngineHost,
    draw: (step: number) => readonly NetworkDescription[],
  ) {
    this.recipe = recipe;
    this.host = reusedMemory(host);
    this.draw = draw;
    const [height, width, channels] = largest.input;
    const { batch, seed } = recipe;
    this.places = {
      image: new Float32Array(batch * height * width * channels),
      labels: new Int32Array(batch),
    };
    const graph = networkOf(largest, { batch: 1, mode: 'run', seed });
    this.shared = new Map(
      parametersOf(graph).map((parameter) => [parameter.name, sharedOf(graph, parameter)]),
    );
    this.parameters = new Map([...this.shared].map(([name, { values: v }]) => [name, v]));
  }

  step(rate: number, step: number): number {
    const networks = this.draw(step);
    for (const { gradient } of this.shared.values()) gradient.fill(0);
    let loss = 0;
    for (const network of networks) loss += this.learn(network, 1 / networks.length);
    for (const entry of this.shared.values()) this.update(entry, rate);
    return loss / networks.length;
  }

  save(): Map<string, Float32Array> {
    return new Map(
      [...this.shared].flatMap(([name, { values, velocity }]) => [
        [name, values.slice()] as const,
        [name + VELOCITY, velocity.slice()] as const,
      ]),
    );
  }

  restore(states: States): void {
    for (const [name, { values, velocity }] of this.shared) {
      const [saved, remembered] = [states.get(name), states.get(name + VELOCITY)];
      if (saved !== undefined) values.set(saved);
      if (remembered !== undefined) velocity.set(remembered);
    }
  }

  /** Adds `share` times the gradients of one network. @returns its loss */
  private learn(network: NetworkDescription, share: number): number {
    const { program, parameters } = this.compiled(network);
    const engine = Engine.open(program, this.host);
    const { image, labels } = placesOf(engine);
    image.set(this.places.image);
    labels.set(this.places.labels);
    for (const { name, shape } of parameters) {
      const whole = this.shared.get(name) ?? fail('RV9005', `the largest network has no "${name}"`);
      takePart(whole.values, whole.shape, engine.state(name), shape);
    }
    engine.run();
    const first = program.outputs.length - parameters.length;
    parameters.forEach(({ name, shape }, i) => {
      const whole = this.shared.get(name)!;
      addPart(whole.gradient, whole.shape, engine.output(first + i) as Float32Array, shape, share);
    });
    return Number(engine.output('loss')[0]);
  }

  private compiled(network: NetworkDescription): Compiled {
    const key = JSON.stringify(network);
    const known = this.programs.get(key);
    this.programs.delete(key);
    const { batch, smoothing } = this.recipe;
    const compiled = known ?? compile(networkOf(network, { batch, smoothing, seed: null }));
    // The one that was asked for last is the last to be forgotten.
    this.programs.set(key, compiled);
    if (this.programs.size > KEPT_PROGRAMS) this.programs.delete(this.programs.keys().next().value!);
    return compiled;
  }

  /** A step of descent by Nesterov, as `sgd_update` does it; vectors do not decay. */
  private update({ shape, values, gradient, velocity }: Shared, rate: number): void {
    const { momentum } = this.recipe;
    const decay = shape.length > 1 ? this.recipe.decay : 0;
    for (let i = 0; i < values.length; ++i) {
      const slope = gradient[i]! + decay * values[i]!;
      velocity[i] = momentum * velocity[i]! + slope;
      values[i]! -= rate * (slope + momentum * velocity[i]!);
    }
  }
}

function compile(graph: Graph): Compiled {
  const parameters = parametersOf(graph);
  const names = parameters.map(({ name }) => name);
  return { program: hostProgram(gradientGraph(graph, 'loss', names)), parameters };
}

function parametersOf({ values }: Graph): Parameter[] {
  return [...values.values()].filter(({ role, name }) => role === 'state' && !name.endsWith(MOMENTS));
}

function sharedOf({ values }: Graph, { name, shape }: Parameter): Shared {
  const { data } = [...values.values()].find((value) => value.name === name)!;
  const zeros = (): Float32Array => new Float32Array(elementCount(shape));
  return {
    name,
    shape,
    values: Float32Array.from(data as Float32Array),
    gradient: zeros(),
    velocity: zeros(),
  };
}

/** The parameters that `network` has in the largest network, copied. */
export function extractPart(
  largest: NetworkDescription,
  states: States,
  network: NetworkDescription,
): Map<string, Float32Array> {
  const shapes = new Map(parametersOf(shapesOf(largest)).map(({ name, shape }) => [name, shape]));
  return new Map(
    parametersOf(shapesOf(network)).map(({ name, shape }) => {
      const [whole, from] = [states.get(name), shapes.get(name)];
      if (whole === undefined || from === undefined) fail('RV9005', `the largest network has no "${name}"`);
      return [name, takePart(whole, from, new Float32Array(elementCount(shape)), shape)];
    }),
  );
}

/** A graph whose weights do not matter. */
function shapesOf(network: NetworkDescription): Graph {
  return networkOf(network, { batch: 1, mode: 'run', seed: null });
}
