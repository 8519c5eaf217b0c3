/** How close int8 comes to float32. */
import { clamp, roundHalfAway } from '../core/fixedpoint.ts';
import type { Conversion } from '../integer/convert.ts';
import { type Graph, requireValue, type TensorType, type ValueId } from '../ir/types.ts';
import { scaleOf, zeroPointOf } from '../ops/quantization.ts';
import type { EngineHost } from '../run/engine/engine.ts';
import { Observer, type Sample } from './observe.ts';

export interface LayerQuality {
  /** The name of the value. */
  readonly name: string;
  readonly op: string;
  /** Signal to quantisation noise, 10 log10(Σ x² / Σ (x - x̂)²); Infinity without noise. */
  readonly sqnr: number;
}

export interface Quality {
  /** In execution order. */
  readonly layers: readonly LayerQuality[];
  /** Of the first output. */
  readonly sqnr: number;
  /** Share of samples with the same largest element in the first output. */
  readonly agreement: number;
}

/** Runs both graphs on `samples`. */
export function qualityOf(
  float: Graph,
  { graph, values }: Conversion,
  host: EngineHost,
  samples: readonly Sample[],
): Quality {
  const [a, b] = [new Observer(float, host), new Observer(graph, host)];
  const input = requireValue(graph, graph.inputs[0]!);
  const output = float.outputs[0]!;
  const sums = new Map<ValueId, { signal: number; noise: number }>();
  let same = 0;
  for (const sample of samples) {
    const [exact, raw] = [a.run(sample), b.run(rawInput(sample, input))];
    for (const { id } of a.values) {
      const x = exact.get(id)!;
      const own = values.get(id)!;
      const q = raw.get(own)!;
      const type = requireValue(graph, own);
      const [scale, zero] = [scaleOf(type), zeroPointOf(type)];
      const sum = sums.get(id) ?? { signal: 0, noise: 0 };
      sums.set(id, sum);
      for (let i = 0; i < x.length; ++i) {
        sum.signal += x[i]! * x[i]!;
        sum.noise += (x[i]! - scale * (q[i]! - zero)) ** 2;
      }
    }
    if (argmax(exact.get(output)!) === argmax(raw.get(values.get(output)!)!)) ++same;
  }
  const sqnr = (id: ValueId): number => decibels(sums.get(id)!);
  return {
    layers: float.nodes.map(({ op, outs }) => ({
      name: requireValue(float, outs[0]!).name,
      op,
      sqnr: sqnr(outs[0]!),
    })),
    sqnr: sqnr(output),
    agreement: same / samples.length,
  };
}

function decibels({ signal, noise }: { readonly signal: number; readonly noise: number }): number {
  if (noise === 0) return Number.POSITIVE_INFINITY;
  return 10 * Math.log10(signal / noise);
}

/** The raw values of an int8 input: clamp(round(x / scale) + zero point), halves away from zero. */
export function rawInput(sample: Sample, type: TensorType): Int8Array {
  const [scale, zero] = [scaleOf(type), zeroPointOf(type)];
  return Int8Array.from(sample, (x) => clamp(roundHalfAway(x / scale) + zero, -128, 127));
}

/** The index of the first of the largest elements. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; ++i) if (values[i]! > values[best]!) best = i;
  return best;
}
