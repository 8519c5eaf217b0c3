/** Networks over frames, as graphs with seeded weights: what keyword spotting looks like. */
import type { NodeAttributes, OpName, Padding, Pair } from '../../src/ir/attributes.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import {
  elementCount,
  type Graph,
  type Shape,
  type TensorType,
  type Value,
  type ValueId,
} from '../../src/ir/types.ts';
import { bias, type constant, int8, weights } from '../../src/ops/case.ts';
import { windowShape } from '../../src/ops/convolution.ts';
import { FULL } from './random-sketch.ts';

interface Window {
  readonly kernel: Pair;
  readonly stride?: Pair;
  readonly dilation?: Pair;
  /** Rows and columns of zeros at both ends; default none. */
  readonly around?: Pair;
}

/** Of an average input and weight, so that results fill int8 without saturating everywhere. */
const scaleOfSum = (terms: number): number => 0.05 * 0.01 * 35 * Math.sqrt(terms);

/** A network under construction: each layer reads the one before. */
export class TimeNetwork {
  private readonly builder: GraphBuilder;
  private last: ValueId;
  private made = 0;

  constructor(name: string, input: Shape) {
    this.builder = new GraphBuilder(name);
    this.last = this.builder.input('features', int8(input, 0.05, 3));
  }

  conv(channels: number, window: Window): this {
    const deep = this.shape()[3]!;
    const w = weights([channels, ...window.kernel, deep], 0, ++this.made);
    return this.window('conv2d', channels, window, w, elementCount(window.kernel) * deep);
  }

  depthwise(window: Window): this {
    const channels = this.shape()[3]!;
    const w = weights([1, ...window.kernel, channels], 3, ++this.made);
    return this.window('depthwise_conv2d', channels, window, w, elementCount(window.kernel));
  }

  /** The mean over all rows and columns. */
  averagePool(): this {
    const [, height, width, channels] = this.shape() as [number, number, number, number];
    const attrs = { kernel: [height, width], stride: [1, 1], padding: [0, 0, 0, 0], clamp: FULL } as const;
    return this.node('average_pool2d', attrs, [this.last], { ...this.value(), shape: [1, 1, 1, channels] });
  }

  /** A classifier over all that is left, flattened. */
  dense(outputs: number): this {
    const count = elementCount(this.shape());
    const ins = [this.last, this.constant(weights([outputs, count], null, ++this.made)), null];
    return this.node('fully_connected', { clamp: FULL }, ins, int8([1, outputs], scaleOfSum(count)));
  }

  build(): Graph {
    return this.builder.build([this.last]);
  }

  private window(
    op: 'conv2d' | 'depthwise_conv2d',
    channels: number,
    { kernel, stride = [1, 1], dilation = [1, 1], around = [0, 0] }: Window,
    w: ReturnType<typeof constant>,
    terms: number,
  ): this {
    const padding: Padding = [around[0], around[0], around[1], around[1]];
    const size = windowShape(this.value(), kernel, stride, dilation, padding);
    const ins = [this.last, this.constant(w), this.constant(bias(channels, this.made))];
    const attrs = { stride, dilation, padding, clamp: FULL };
    return this.node(op, attrs, ins, int8([1, ...size, channels], scaleOfSum(terms), -9));
  }

  private node<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    ins: readonly (ValueId | null)[],
    { shape, dtype, quantization }: TensorType,
  ): this {
    const name = `${op}_${++this.made}`;
    this.last = this.builder.activation(name, { shape, dtype, ...(quantization && { quantization }) });
    this.builder.node(op, attrs, ins, [this.last], { index: this.made, op, name });
    return this;
  }

  private constant({ data, ...type }: ReturnType<typeof constant>): ValueId {
    return this.builder.constant(`c${this.made}`, type, data);
  }

  private value(): Value {
    return this.builder.value(this.last);
  }

  private shape(): Shape {
    return this.value().shape;
  }
}

/**
 * 49 frames of 10 features, depthwise-separable, as MLPerf Tiny's keyword spotting, which has 64 channels and is padded.
 * @param rows of zeros at both ends of time, for every 3 rows that a window is high
 */
export function keywordNetwork(rows: 0 | 1, channels = 16): Graph {
  const network = new TimeNetwork('keyword', [1, 49, 10, 1]);
  network.conv(channels, { kernel: [10, 4], stride: [2, 2], around: [4 * rows, 1] });
  for (let block = 0; block < 4; ++block) {
    network.depthwise({ kernel: [3, 3], around: [rows, 1] }).conv(channels, { kernel: [1, 1] });
  }
  return network.averagePool().dense(12).build();
}

/** 40 frames of 8 features as channels, dilated more and more along time, as temporal convolutional networks are. */
export function temporalNetwork(): Graph {
  const network = new TimeNetwork('temporal', [1, 40, 1, 8]);
  for (const dilation of [1, 2, 4, 8]) {
    network.conv(12, { kernel: [3, 1], dilation: [dilation, 1] }).conv(8, { kernel: [1, 1] });
  }
  return network.dense(5).build();
}
