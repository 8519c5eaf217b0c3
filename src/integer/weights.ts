/** Operators with weights: their channels, and weights and biases in integers. */
import { clamp, roundHalfAway } from '../core/fixedpoint.ts';
import type { OpName } from '../ir/attributes.ts';
import { type Graph, type Node, type NodeOf, requireValue, type Shape, type Value } from '../ir/types.ts';

export type WeightedOp = 'conv2d' | 'depthwise_conv2d' | 'transpose_conv2d' | 'fully_connected';
export type WeightedNode = { [K in WeightedOp]: NodeOf<K> }[WeightedOp];

/** y = factor * x + offset, by channel. */
export interface Affine {
  readonly factor: Float32Array;
  readonly offset: Float32Array;
}

/** Where the output channels of weights are: innermost of a depthwise convolution, outermost of all others. */
interface ChannelAxis {
  readonly axis: number;
  channelOf(shape: Shape, index: number): number;
}

const OUTER: ChannelAxis = {
  axis: 0,
  channelOf: (shape, index) => Math.floor(index / shape.slice(1).reduce((a, b) => a * b, 1)),
};
const INNER: ChannelAxis = { axis: 3, channelOf: (shape, index) => index % shape.at(-1)! };
const CHANNEL_AXES: { readonly [K in WeightedOp]: ChannelAxis } = {
  conv2d: OUTER,
  depthwise_conv2d: INNER,
  transpose_conv2d: OUTER,
  fully_connected: OUTER,
};

export function isWeighted(node: Node): node is WeightedNode {
  return (node.op as OpName) in CHANNEL_AXES;
}

export function channelAxis({ op }: Node): ChannelAxis {
  return CHANNEL_AXES[op as WeightedOp];
}

/** The float32 parameters of a node that `isWeighted`. */
export function affineOf(
  graph: Graph,
  node: Node,
): { readonly weights: Float32Array; readonly bias: Float32Array | undefined; readonly value: Value } {
  const value = requireValue(graph, node.ins[1]!);
  const bias = node.ins[2] == null ? undefined : (requireValue(graph, node.ins[2]).data as Float32Array);
  return { weights: value.data as Float32Array, bias, value };
}

/** The largest magnitude of each output channel. */
export function channelPeaks(weights: Float32Array, shape: Shape, axis: ChannelAxis): Float64Array {
  const peaks = new Float64Array(shape[axis.axis]!);
  for (let i = 0; i < weights.length; ++i) {
    const c = axis.channelOf(shape, i);
    peaks[c] = Math.max(peaks[c]!, Math.abs(weights[i]!));
  }
  return peaks;
}

/** Parameters in integers: real weight = scale * w, real bias = input scale * scale * b. */
export interface IntegerWeights {
  readonly weights: Int8Array;
  readonly bias: Int32Array;
  /** One for each output channel, or one. float32 values. */
  readonly scales: readonly number[];
}

/** Largest magnitude of an int32 bias: it leaves room for as much again in products. */
const MAX_BIAS = 2 ** 30;
/** Of weights that are all 0, the scale makes the bias this much finer than the output. */
const IDLE = 1024;

/**
 * With the scales that are given; else symmetric int8 with zero point 0 and largest magnitude 127 (TensorFlow Lite 8-bit quantisation specification).
 */
export function integerWeights(
  node: Node,
  weights: Float32Array,
  shape: Shape,
  bias: ArrayLike<number> | undefined,
  [inputScale, outputScale]: readonly [input: number, output: number],
  given?: readonly number[],
): IntegerWeights {
  const axis = channelAxis(node);
  const peaks = [...channelPeaks(weights, shape, axis)];
  const biasAt = (c: number): number => bias?.[c] ?? 0;
  const scaleFor = (peak: number, largestBias: number): number => {
    const forWeights = peak === 0 ? outputScale / inputScale / IDLE : peak / 127;
    return Math.fround(Math.max(forWeights, largestBias / (inputScale * MAX_BIAS)));
  };
  // TFLM takes one scale alone for a dense layer in all its versions.
  const single = given === undefined ? node.op === 'fully_connected' : given.length === 1;
  const largest = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), 0);
  const magnitudes = peaks.map((_, c) => Math.abs(biasAt(c)));
  const scales =
    given ??
    (single
      ? [scaleFor(largest(peaks), largest(magnitudes))]
      : peaks.map((peak, c) => scaleFor(peak, magnitudes[c]!)));
  const scaleAt = (c: number): number => scales[single ? 0 : c]!;
  return {
    weights: Int8Array.from(weights, (w, i) =>
      clamp(roundHalfAway(w / scaleAt(axis.channelOf(shape, i))), given === undefined ? -127 : -128, 127),
    ),
    bias: Int32Array.from(peaks, (_, c) => roundHalfAway(biasAt(c) / (inputScale * scaleAt(c)))),
    scales,
  };
}
