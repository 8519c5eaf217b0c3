/**
 * Training on this computer, bit for bit what the device does: the same training graph with the same kernels. What comes
 * before the first trained parameter is computed once an image and kept; the arithmetic behind it is the device's.
 */
import { asBytes, fromBytes } from '../core/dtype.ts';
import type { KernelChoice } from '../core/isa.ts';
import type { Graph } from '../ir/types.ts';
import type { Scheme } from '../learn/scheme.ts';
import type { Learnt } from '../learn/slot.ts';
import { inferencePart, splitFrozen } from '../learn/split.ts';
import { type TrainingGraph, trainingGraph } from '../learn/training-graph.ts';
import { lower } from '../lower/lower.ts';
import { Engine, type EngineHost } from './engine/engine.ts';

/** What of an image the trained part reads: raw bytes of each feature. */
export type Features = readonly Uint8Array[];

export interface StepResult {
  /** Cross-entropy in nats; -1 for a label that is not a class. */
  readonly loss: number;
  /** What the network took the image for before the step. */
  readonly predicted: number;
}

/** Whatever learns from features, image by image. */
export interface Learner {
  step(features: Features, label: number, rate: number): StepResult;
  /** The class of an image with the parameters as they are. */
  predict(features: Features): number;
}

const HOST_KERNELS: KernelChoice = { isas: ['simd', 'portable'], optimize: 'speed' };

export class Rehearsal implements Learner {
  readonly training: TrainingGraph;
  /** What `features` depends on beside the model: which of its values they are. */
  readonly frozenKey: string;
  private readonly front: Engine | null;
  private readonly step_: Engine;
  private readonly inference: Engine;
  private readonly stateNames: readonly string[];
  /** Whether states changed since `inference` got them. */
  private stale = true;
  private steps = 0;
  private readonly batch: number;

  /**
   * @param model after `prepareForTraining`
   * @param seed of the rounding
   * @throws RivuletError RV5001, RV5002
   */
  static create(model: Graph, scheme: Scheme, host: EngineHost, seed = 1): Rehearsal {
    const training = trainingGraph(model, scheme, seed);
    const { frozen, learning } = splitFrozen(training.graph);
    const engine = (graph: Graph): Engine => Engine.open(lower(graph, HOST_KERNELS), host);
    return new Rehearsal(
      training,
      scheme.batch,
      frozen.nodes.length === 0 ? null : engine(frozen),
      engine(learning),
      engine(inferencePart(learning)),
      [...learning.values.values()].filter(({ role }) => role === 'state').map(({ name }) => name),
      frozen.outputs
        .map((id) => `${id} ${frozen.values.get(id)!.name} ${frozen.values.get(id)!.shape}`)
        .join(),
    );
  }

  private constructor(
    training: TrainingGraph,
    batch: number,
    front: Engine | null,
    step: Engine,
    inference: Engine,
    stateNames: readonly string[],
    frozenKey: string,
  ) {
    this.frozenKey = frozenKey;
    this.training = training;
    this.batch = batch;
    this.front = front;
    this.step_ = step;
    this.inference = inference;
    this.stateNames = stateNames;
  }

  /** The frozen part on one image (raw bytes of the input); the same however often it is trained. */
  features(image: Uint8Array): Features {
    return this.front === null ? [image] : runOnce(this.front, [image]);
  }

  step(features: Features, label: number, rate: number): StepResult {
    this.steps += 1;
    this.stale = true;
    const apply = this.batch > 1 ? [asBytes(Int32Array.of(this.steps % this.batch === 0 ? 1 : 0))] : [];
    const inputs = [...features, asBytes(Int32Array.of(label)), asBytes(Float32Array.of(rate)), ...apply];
    const [logits, loss] = runOnce(this.step_, inputs) as [Uint8Array, Uint8Array];
    return { loss: Number(fromBytes('float32', loss)[0]), predicted: highest(logits) };
  }

  predict(features: Features): number {
    if (this.stale) {
      for (const name of this.stateNames) {
        if (name.startsWith('bias ') || name.startsWith('weights ')) this.copyState(name);
      }
      this.stale = false;
    }
    return highest(runOnce(this.inference, features)[0]!);
  }

  /** The bytes of a state, as the device's arena has them. */
  state(name: string): Uint8Array {
    return this.step_.stateBytes(name).slice();
  }

  /** Copies of all states: what `restore` goes back to. */
  snapshot(): ReadonlyMap<string, Uint8Array> {
    return new Map(this.stateNames.map((name) => [name, this.state(name)]));
  }

  restore(states: ReadonlyMap<string, Uint8Array>): void {
    for (const [name, bytes] of states) this.step_.stateBytes(name).set(bytes);
    this.stale = true;
  }

  /** What has been learnt, as the device would save it. */
  learnt(): Learnt {
    return { steps: this.steps, states: new Map(this.stateNames.map((name) => [name, this.state(name)])) };
  }

  /** Names of all states, in the order of the graph. */
  states(): readonly string[] {
    return this.stateNames;
  }

  private copyState(name: string): void {
    if (/^bias \D/.test(name)) return;
    this.inference.stateBytes(name).set(this.step_.stateBytes(name));
  }
}

/** Copies of the outputs' bytes. */
function runOnce(engine: Engine, inputs: readonly Uint8Array[]): Uint8Array[] {
  for (const [i, bytes] of inputs.entries()) asBytes(engine.input(i)).set(bytes);
  engine.run();
  return engine.program.outputs.map((_, i) => asBytes(engine.output(i)).slice());
}

/** Index of the largest int8, the first of equals. */
function highest(logits: Uint8Array): number {
  const values = new Int8Array(logits.buffer, logits.byteOffset, logits.length);
  let best = 0;
  values.forEach((value, i) => {
    if (value > values[best]!) best = i;
  });
  return best;
}
