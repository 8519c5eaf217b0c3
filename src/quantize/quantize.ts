/** Post-training quantisation: a float32 graph and samples of its input -> int8 graph. docs/quantization.md */
import { fail, RivuletError } from '../core/diagnostics.ts';
import { type Conversion, convert } from '../integer/convert.ts';
import { sharingOf } from '../integer/sharing.ts';
import { type Graph, type Quantization, requireValue, type ValueId } from '../ir/types.ts';
import { verifyGraph } from '../ops/verify.ts';
import type { EngineHost } from '../run/engine/engine.ts';
import { equalize } from './equalize.ts';
import { type Calibrated, observeAll, type Sample } from './observe.ts';
import { prepare } from './prepare.ts';
import { type Quality, qualityOf } from './quality.ts';
import { CALIBRATIONS, type Calibration, hull, quantizationOf, type Range } from './ranges.ts';

export interface QuantizeOptions {
  /** Where the graphs run while they are calibrated and compared, e.g. `await wasmHost()`. */
  readonly host: EngineHost;
  /** Default auto: what gives the first output the best signal to noise. */
  readonly calibration?: Calibration | 'auto';
  /** Cross-layer equalisation; default: if it helps. */
  readonly equalize?: boolean;
  /** Bias correction; default: if it helps. */
  readonly correctBias?: boolean;
  /** Of the input; default from the smallest and the largest element in the samples. */
  readonly input?: { readonly scale: number; readonly zeroPoint: number };
}

/** One way to quantise. */
export interface Choice {
  readonly calibration: Calibration;
  readonly equalize: boolean;
  readonly correctBias: boolean;
}

export interface Trial extends Choice, Pick<Quality, 'sqnr' | 'agreement'> {}

export interface Quantized extends Quality {
  /** int8 from input to output, verified. */
  readonly graph: Graph;
  readonly choice: Choice;
  /** Everything that was tried, in order. */
  readonly trials: readonly Trial[];
}

/**
 * Quantises `graph`, float32 with one input of one item or a batch.
 * @param samples items as the network will see them; some hundred are plenty
 * @throws RivuletError RV2001 for operators without a meaning on int8, RV2007 without samples, RV2008 for normalisation by
 * the moments of a batch, RV3002 for samples that do not fit
 */
export function quantize(graph: Graph, samples: readonly Sample[], options: QuantizeOptions): Quantized {
  if (samples.length === 0) fail('RV2007', 'there are no samples to calibrate with', { origin: graph.name });
  if (graph.inputs.length !== 1) {
    fail('RV2007', `the network has ${graph.inputs.length} inputs, one is calibrated`, {
      origin: graph.name,
    });
  }
  const { dtype } = requireValue(graph, graph.inputs[0]!);
  if (dtype !== 'float32') {
    fail('RV2003', `the input is ${dtype}, not float32`, {
      origin: graph.name,
      hint: 'a model that is int8 already can be compiled as it is',
    });
  }
  const bench = new Bench(prepare(graph), samples, options);
  const wanted = options.calibration ?? 'auto';
  const plain = { equalize: options.equalize ?? false, correctBias: options.correctBias ?? false };
  const calibrations = wanted === 'auto' ? (Object.keys(CALIBRATIONS) as Calibration[]) : [wanted];
  for (const calibration of calibrations) bench.try({ ...plain, calibration });
  if (options.correctBias === undefined) bench.try({ ...bench.best.choice, correctBias: true });
  if (options.equalize === undefined) bench.try({ ...bench.best.choice, equalize: true });
  return { ...bench.best, trials: bench.trials };
}

type Candidate = Omit<Quantized, 'trials'>;

/** Tries ways to quantise one graph and keeps the best. */
class Bench {
  readonly trials: Trial[] = [];
  private winner: Candidate | undefined;
  private readonly float: Graph;
  private readonly samples: readonly Sample[];
  private readonly options: QuantizeOptions;
  private readonly calibrated = new Map<boolean, { graph: Graph; seen: Calibrated }>();

  constructor(float: Graph, samples: readonly Sample[], options: QuantizeOptions) {
    this.float = float;
    this.samples = samples;
    this.options = options;
  }

  get best(): Candidate {
    return this.winner!;
  }

  try(choice: Choice): void {
    const { host } = this.options;
    const { graph, seen } = this.calibratedGraph(choice.equalize);
    const conversion = this.quantised(graph, seen, choice);
    const problems = verifyGraph(conversion.graph);
    if (problems.length > 0) throw new RivuletError(problems);
    const quality = qualityOf(graph, conversion, host, this.samples);
    this.trials.push({ ...choice, sqnr: quality.sqnr, agreement: quality.agreement });
    if (this.winner === undefined || quality.sqnr > this.winner.sqnr) {
      this.winner = { ...quality, graph: conversion.graph, choice };
    }
  }

  private calibratedGraph(equalized: boolean): { graph: Graph; seen: Calibrated } {
    const known = this.calibrated.get(equalized);
    if (known !== undefined) return known;
    const graph = equalized ? equalize(this.float) : this.float;
    const made = { graph, seen: observeAll(graph, this.options.host, this.samples) };
    this.calibrated.set(equalized, made);
    return made;
  }

  private quantised(graph: Graph, seen: Calibrated, { calibration, correctBias }: Choice): Conversion {
    const sharing = sharingOf(graph);
    const [input] = graph.inputs;
    const ranges = new Map<ValueId, Range[]>();
    for (const { id, data, dtype } of graph.values.values()) {
      if (data !== undefined && dtype !== 'float32') continue;
      // Inputs come from outside: nothing of them is cut off.
      const choose = CALIBRATIONS[id === input ? 'min-max' : calibration];
      const range = data === undefined ? choose(seen.observations.get(id)!) : rangeOf(data as Float32Array);
      const shared = sharing.classOf(id);
      ranges.set(shared, [...(ranges.get(shared) ?? []), range]);
    }
    const chosen = new Map<ValueId, Quantization>(
      [...ranges].map(([shared, list]) => [shared, quantizationOf(hull(list))]),
    );
    for (const [shared, quantization] of sharing.fixed) chosen.set(shared, quantization);
    const given = this.options.input;
    if (given !== undefined) {
      const quantization = { scales: [Math.fround(given.scale)], zeroPoints: [given.zeroPoint], axis: 0 };
      chosen.set(sharing.classOf(input!), quantization);
    }
    const quantizationOfValue = (id: ValueId): Quantization => chosen.get(sharing.classOf(id))!;
    return convert(graph, sharing, quantizationOfValue, correctBias ? { means: seen.means } : {});
  }
}

function rangeOf(data: Float32Array): Range {
  return hull([
    { low: data.reduce((a, b) => Math.min(a, b), 0), high: data.reduce((a, b) => Math.max(a, b), 0) },
  ]);
}
