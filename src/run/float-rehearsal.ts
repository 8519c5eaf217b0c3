/** What a rehearsal in real numbers comes to: the same layers learn, by stochastic gradient descent on float32. */
import { LEARNING_RATE, trainingGraph as withSteps } from '../autodiff/training.ts';
import type { TypedArray } from '../core/dtype.ts';
import { type Graph, requireValue } from '../ir/types.ts';
import { type FloatTwin, floatTwin } from '../learn/float-twin.ts';
import type { Scheme } from '../learn/scheme.ts';
import { inferencePart, splitFrozen } from '../learn/split.ts';
import { trainingGraph } from '../learn/training-graph.ts';
import { scaleOf, zeroPointOf } from '../ops/quantization.ts';
import { type Engine, type EngineHost, openEngine } from './engine/engine.ts';
import type { Features, Learner, StepResult } from './rehearsal.ts';

/** Dequantises a feature. */
interface Scale {
  readonly scale: number;
  readonly zeroPoint: number;
}

export class FloatRehearsal implements Learner {
  private readonly engine: Engine;
  private readonly inference: Engine;
  private readonly scales: readonly Scale[];
  private readonly restore: readonly (() => void)[];
  private isStale = true;

  /**
   * @param model after `prepareForTraining`
   * @throws RivuletError RV2002 for an operator that has no float32 twin, RV5001, RV5002
   */
  constructor(model: Graph, scheme: Scheme, host: EngineHost) {
    const inference = inferencePart(splitFrozen(trainingGraph(model, scheme, 1).graph).learning);
    const twin = floatTwin(inference, 1);
    const optimizer = { kind: 'sgd', momentum: scheme.momentum } as const;
    this.engine = openEngine(withSteps(twin.graph, 'loss', { optimizer }), host);
    this.inference = openEngine(twin.graph, host);
    this.scales = inference.inputs.map((id) => {
      const value = requireValue(inference, id);
      return { scale: scaleOf(value), zeroPoint: zeroPointOf(value) };
    });
    this.restore = twin.partly.map((part) => restoring(this.engine, part));
  }

  step(features: Features, label: number, rate: number): StepResult {
    const { engine } = this;
    this.write(engine, features);
    engine.input('label')[0] = label;
    engine.input(LEARNING_RATE)[0] = rate;
    engine.run();
    for (const restore of this.restore) restore();
    this.isStale = true;
    return { loss: Number(engine.output('loss')[0]), predicted: highest(engine.output(0)) };
  }

  predict(features: Features): number {
    if (this.isStale) {
      for (const name of this.inference.stateNames())
        this.inference.stateBytes(name).set(this.engine.stateBytes(name));
      this.isStale = false;
    }
    this.write(this.inference, features);
    this.inference.run();
    return highest(this.inference.output(0));
  }

  private write(engine: Engine, features: Features): void {
    for (const [i, bytes] of features.entries()) {
      const { scale, zeroPoint } = this.scales[i]!;
      const place = engine.input(i);
      const values = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let k = 0; k < values.length; ++k) place[k] = (values[k]! - zeroPoint) * scale;
    }
  }
}

/** Puts the weights of frozen channels back. */
function restoring(engine: Engine, { state, channels, trained }: FloatTwin['partly'][number]): () => void {
  const place = engine.state(state);
  const initial = place.slice();
  const frozen = [...initial.keys()].filter((i) => !trained.has(i % channels));
  return () => {
    for (const i of frozen) place[i] = initial[i]!;
  };
}

function highest(values: TypedArray): number {
  let best = 0;
  for (let i = 1; i < values.length; ++i) if (values[i]! > values[best]!) best = i;
  return best;
}
