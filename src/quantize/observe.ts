/** Runs a graph on samples and shows every value that it computes. */
import { fail } from '../core/diagnostics.ts';
import { asBytes } from '../core/dtype.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { type Graph, requireValue, type Value, type ValueId } from '../ir/types.ts';
import { type EngineHost, openEngine } from '../run/engine/engine.ts';
import { emptyObservation, type Observation, observeCounts, observeRange } from './ranges.ts';

/** The elements of one item, row-major. */
export type Sample = Float32Array;

/** Opened once, runs one item after the other; all that the graph computes stays readable. */
export class Observer {
  readonly values: readonly Value[];
  private readonly engine: ReturnType<typeof openEngine>;

  constructor(graph: Graph, host: EngineHost) {
    const builder = GraphBuilder.from(graph);
    for (const node of graph.nodes) builder.push(node);
    const ids = graph.nodes.flatMap((node) => node.outs);
    this.values = ids.map((id) => requireValue(graph, id));
    this.engine = openEngine(builder.build(ids), host);
  }

  /** @returns the elements by value, overwritten by the next run; the input is among them */
  run(input: ArrayBufferView): Map<ValueId, ArrayLike<number>> {
    const place = this.engine.input(0);
    if (place.byteLength !== input.byteLength) {
      fail('RV3002', `a sample has ${input.byteLength} bytes, the input of the model ${place.byteLength}`);
    }
    asBytes(place).set(new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
    this.engine.run();
    return new Map(this.values.map(({ id }, i) => [id, this.engine.output(i) as Float32Array | Int8Array]));
  }
}

export interface Calibrated {
  readonly observations: ReadonlyMap<ValueId, Observation>;
  /** Of each value, the mean of every index of its last dimension. */
  readonly means: ReadonlyMap<ValueId, Float64Array>;
}

/** Two rounds over the samples: ranges, then counts within them. */
export function observeAll(graph: Graph, host: EngineHost, samples: readonly Sample[]): Calibrated {
  const observer = new Observer(graph, host);
  const input = requireValue(graph, graph.inputs[0]!);
  const values = [input, ...observer.values];
  const observations = new Map(values.map(({ id }) => [id, emptyObservation()]));
  const means = new Map(values.map(({ id, shape }) => [id, new Float64Array(shape.at(-1) ?? 1)]));
  const visit = (act: (value: Value, elements: ArrayLike<number>) => void): void => {
    for (const sample of samples) {
      const seen = observer.run(sample);
      for (const value of values) act(value, value === input ? sample : seen.get(value.id)!);
    }
  };
  visit(({ id, name }, elements) => {
    const mean = means.get(id)!;
    const share = mean.length / (elements.length * samples.length);
    for (let i = 0; i < elements.length; ++i) {
      if (!Number.isFinite(elements[i]!)) {
        fail('RV2004', `"${name}" is ${elements[i]} for a sample`, { origin: graph.name });
      }
      mean[i % mean.length]! += share * elements[i]!;
    }
    observeRange(observations.get(id)!, elements);
  });
  visit(({ id }, elements) => {
    observeCounts(observations.get(id)!, elements);
  });
  return { observations, means };
}
