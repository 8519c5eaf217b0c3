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
import { plan } from '../plan/plan.ts';
import { WasmExecutor } from './wasm.ts';

/** What of an image the trained part reads: raw bytes of each feature. */
export type Features = readonly Uint8Array[];

/** Whatever executes a planned program and keeps its states. */
interface Machine {
  run(inputs: readonly Uint8Array[]): Uint8Array[];
  state(name: string): Uint8Array;
  reset(): void;
}

export interface StepResult {
  /** Cross-entropy in nats; -1 for a label that is not a class. */
  readonly loss: number;
  /** What the network took the image for before the step. */
  readonly predicted: number;
}

const HOST_KERNELS: KernelChoice = { isas: ['simd', 'portable'], optimize: 'size' };

export class Rehearsal {
  readonly training: TrainingGraph;
  /** What `features` depends on beside the model: which of its values they are. */
  readonly frozenKey: string;
  private readonly front: Machine | null;
  private readonly step_: Machine;
  private readonly inference: Machine;
  private readonly stateNames: readonly string[];
  /** Whether states changed since `inference` got them. */
  private stale = true;
  private steps = 0;
  private readonly batch: number;

  /**
   * @param model after `prepareForTraining`
   * @throws RivuletError RV5001, RV5002
   */
  static async create(model: Graph, scheme: Scheme, seed = 1): Promise<Rehearsal> {
    const training = trainingGraph(model, scheme, seed);
    const { frozen, learning } = splitFrozen(training.graph);
    const machine = (graph: Graph): Promise<Machine> => {
      const program = lower(graph, HOST_KERNELS);
      return WasmExecutor.create(program, plan(program));
    };
    return new Rehearsal(
      training,
      scheme.batch,
      frozen.nodes.length === 0 ? null : await machine(frozen),
      await machine(learning),
      await machine(inferencePart(learning)),
      [...learning.values.values()].filter(({ role }) => role === 'state').map(({ name }) => name),
      frozen.outputs
        .map((id) => `${id} ${frozen.values.get(id)!.name} ${frozen.values.get(id)!.shape}`)
        .join(),
    );
  }

  private constructor(
    training: TrainingGraph,
    batch: number,
    front: Machine | null,
    step: Machine,
    inference: Machine,
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
    return this.front === null ? [image] : this.front.run([image]);
  }

  step(features: Features, label: number, rate: number): StepResult {
    this.steps += 1;
    this.stale = true;
    const apply = this.batch > 1 ? [asBytes(Int32Array.of(this.steps % this.batch === 0 ? 1 : 0))] : [];
    const inputs = [...features, asBytes(Int32Array.of(label)), asBytes(Float32Array.of(rate)), ...apply];
    const [logits, loss] = this.step_.run(inputs) as [Uint8Array, Uint8Array];
    return { loss: Number(fromBytes('float32', loss)[0]), predicted: highest(logits) };
  }

  /** The class of an image with the parameters as they are. */
  predict(features: Features): number {
    if (this.stale) {
      for (const name of this.stateNames) {
        if (name.startsWith('bias ') || name.startsWith('weights ')) this.copyState(name);
      }
      this.stale = false;
    }
    return highest(this.inference.run(features)[0]!);
  }

  /** The bytes of a state, as the device's arena has them. */
  state(name: string): Uint8Array {
    return this.step_.state(name).slice();
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
    this.inference.state(name).set(this.step_.state(name));
  }
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
