/**
 * Random networks with planted channels that no input changes or that nobody reads: zero weights, biases that saturate,
 * readers with zero columns. Everything follows from the seed.
 */
import type { TypedArray } from '../../src/core/dtype.ts';
import { createRandom } from '../../src/core/random.ts';
import type { Clamp, NodeAttributes, OpName, Padding } from '../../src/ir/attributes.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import { elementCount, type Graph, type Shape, type TensorType, type ValueId } from '../../src/ir/types.ts';
import { constant, int8, weights } from '../../src/ops/case.ts';
import { windowShape } from '../../src/ops/convolution.ts';
import { scaleOf, zeroPointOf } from '../../src/ops/quantization.ts';

const FULL: Clamp = [-128, 127];
const NONE: Padding = [0, 0, 0, 0];
const UNIT = { stride: [1, 1], dilation: [1, 1] } as const;

type Constant = TensorType & { readonly data: TypedArray };

export function plantedGraph(seed: number): Graph {
  return new Planter(seed).graph();
}

class Planter {
  private readonly random: () => number;
  private readonly builder: GraphBuilder;
  private nodes = 0;

  constructor(seed: number) {
    this.random = createRandom(seed);
    this.builder = new GraphBuilder(`planted_${seed}`);
  }

  graph(): Graph {
    const shape = [1, this.integer(3, 5), this.integer(3, 5), this.integer(2, 8)];
    let x = this.builder.input('x', int8(shape, 0.05, this.zeroPoint()));
    const outputs: ValueId[] = [];
    for (let blocks = this.integer(2, 6); blocks > 0; --blocks) {
      x = this.block(x);
      if (this.chance(0.08)) outputs.push(x);
    }
    return this.builder.build([...new Set([...outputs, this.head(x)])]);
  }

  private block(x: ValueId): ValueId {
    const blocks: readonly (() => ValueId)[] = [
      () => this.conv(x, 1),
      () => this.conv(x, 3),
      () => this.depthwise(this.conv(x, 1)),
      () => this.residual(x),
      () => this.residual(x),
      () => this.sum(this.conv(x, 1, 12), this.conv(x, this.pick([1, 3]), 12, true)),
      () => this.joined(x),
      () => this.gated(this.conv(x, 1)),
      () => this.perElement(this.conv(x, 1)),
      () => this.pooled(this.conv(x, 1)),
      () => this.grouped(x),
      () => this.transposed(x),
      () => this.cut(this.conv(x, 1, 12)),
    ];
    return this.pick(blocks)();
  }

  /** A dense layer behind whatever exporters put before it. */
  private head(x: ValueId): ValueId {
    const { shape } = this.type(x);
    const flat = this.chance(0.5);
    const vector = flat
      ? this.node('reshape', {}, [x], { ...this.type(x), shape: [1, elementCount(shape)] })
      : this.node('mean', { axes: [1, 2] }, [x], this.out([1, shape[3]!]));
    // A dense layer reads any shape: at times the image itself.
    const read = flat && this.chance(0.3) ? x : vector;
    const inputs = elementCount(this.type(read).shape);
    const hidden = this.dense(read, inputs, 10);
    return this.dense(hidden, 10, 3);
  }

  private dense(x: ValueId, inputs: number, outputs: number): ValueId {
    const w = this.planted([outputs, inputs], 0, this.type(x).shape.at(-1)!, this.chance(0.7));
    return this.node(
      'fully_connected',
      { clamp: this.clamp() },
      [x, this.constant(w), this.bias(w, 0)],
      this.out([1, outputs], scaleOf(this.type(x)) * Math.sqrt(inputs)),
    );
  }

  private conv(x: ValueId, size: number, channels = this.integer(5, 16), same = false): ValueId {
    const { shape } = this.type(x);
    const tight = shape[1]! < size || shape[2]! < size;
    const padding: Padding = size > 1 && (same || tight || this.chance(0.6)) ? [1, 1, 1, 1] : NONE;
    const w = this.planted([channels, size, size, shape[3]!], 0, shape[3]!);
    const space = windowShape(this.type(x), [size, size], UNIT.stride, UNIT.dilation, padding);
    return this.node(
      'conv2d',
      { ...UNIT, padding, clamp: this.clamp() },
      [x, this.constant(w), this.bias(w, 0)],
      this.out([1, ...space, channels], scaleOf(this.type(x)) * size * Math.sqrt(shape[3]!)),
    );
  }

  private depthwise(x: ValueId, same = false): ValueId {
    const { shape } = this.type(x);
    const multiplier = !same && this.chance(0.2) ? 2 : 1;
    const padding: Padding = same || this.chance(0.6) || shape[1]! < 3 || shape[2]! < 3 ? [1, 1, 1, 1] : NONE;
    const channels = shape[3]! * multiplier;
    const w = this.planted([1, 3, 3, channels], 3, channels);
    const space = windowShape(this.type(x), [3, 3], UNIT.stride, UNIT.dilation, padding);
    return this.node(
      'depthwise_conv2d',
      { ...UNIT, padding, clamp: this.clamp() },
      [x, this.constant(w), this.bias(w, 3)],
      this.out([1, ...space, channels], scaleOf(this.type(x)) * 3),
    );
  }

  /** Expand, depthwise, project, add. */
  private residual(x: ValueId): ValueId {
    const wide = this.depthwise(this.conv(x, 1), true);
    return this.sum(x, this.conv(wide, 1, this.type(x).shape[3]!));
  }

  private sum(a: ValueId, b: ValueId): ValueId {
    const op = this.pick(['add', 'add', 'sub'] as const);
    const y = this.out(this.type(a).shape, scaleOf(this.type(a)) + scaleOf(this.type(b)));
    return this.node(op, { clamp: this.clamp() }, [a, b], y);
  }

  private joined(x: ValueId): ValueId {
    const a = this.conv(x, 1);
    const b = this.conv(x, 1);
    const like = this.type(a);
    const requantized = this.node('quantize', {}, [b], { ...like, shape: this.type(b).shape });
    const channels = like.shape[3]! + this.type(b).shape[3]!;
    return this.node('concat', { axis: 3 }, [a, requantized], {
      ...like,
      shape: [...like.shape.slice(0, 3), channels],
    });
  }

  /** Squeeze and excite. */
  private gated(x: ValueId): ValueId {
    const { shape } = this.type(x);
    const vector = [1, 1, 1, shape[3]!];
    const squeezed = this.node('mean', { axes: [1, 2] }, [x], this.out(vector));
    const gate = this.conv(squeezed, 1, shape[3]!);
    const sigmoid = this.node('logistic', {}, [gate], int8(vector, 1 / 256, -128));
    return this.node('mul', { clamp: FULL }, [x, sigmoid], this.out(shape, scaleOf(this.type(x)) * 0.3));
  }

  private perElement(x: ValueId): ValueId {
    const type = this.type(x);
    const factor = constant(int8([type.shape[3]!], 0.02, 5), this.integer(1, 1e6));
    const nodes: readonly (() => ValueId)[] = [
      () => this.node('relu', { clamp: [zeroPointOf(type), 127] }, [x], type),
      () => this.node('leaky_relu', { alpha: 0.2 }, [x], this.out(type.shape)),
      () => this.node('prelu', {}, [x, this.constant(factor)], this.out(type.shape)),
      () => this.node('mul', { clamp: FULL }, [this.constant(factor), x], this.out(type.shape)),
      () => this.node('softmax', { beta: 1 }, [x], int8(type.shape, 1 / 256, -128)),
    ];
    return this.pick(nodes)();
  }

  private pooled(x: ValueId): ValueId {
    const type = this.type(x);
    const [, height, width, channels] = type.shape as [number, number, number, number];
    const resized = { ...type, shape: [1, height + 1, width, channels] };
    const kernel = [Math.min(2, height), Math.min(2, width)] as const;
    const pooled = { ...type, shape: [1, height - kernel[0] + 1, width - kernel[1] + 1, channels] };
    const before = [0, 1, 0, 0];
    const pad = { before, after: [0, 0, 0, 0], value: this.pick([zeroPointOf(type), 7]) };
    const nodes: readonly (() => ValueId)[] = [
      () => this.node('average_pool2d', { kernel, stride: [1, 1], padding: NONE, clamp: FULL }, [x], pooled),
      () =>
        this.node('max_pool2d', { kernel, stride: [1, 1], padding: NONE, clamp: this.clamp() }, [x], pooled),
      () => this.node('resize_nearest', { alignCorners: false, halfPixelCenters: false }, [x], resized),
      () => this.node('resize_bilinear', { alignCorners: false, halfPixelCenters: true }, [x], resized),
      () => this.node('pad', pad, [x], resized),
    ];
    return this.pick(nodes)();
  }

  private grouped(x: ValueId): ValueId {
    const even = this.conv(x, 1, 8);
    const w = this.planted([8, 1, 1, 4], 0, 4);
    const ins = [even, this.constant(w), this.bias(w, 0)];
    return this.node(
      'conv2d',
      { ...UNIT, padding: NONE, clamp: FULL },
      ins,
      this.out(this.type(even).shape, 0.1),
    );
  }

  private transposed(x: ValueId): ValueId {
    const { shape } = this.type(x);
    if (elementCount(shape) > 400) return this.conv(x, 1, 6);
    const w = this.planted([9, 2, 2, shape[3]!], 0, shape[3]!);
    const y = this.out([1, 2 * shape[1]!, shape[2]! + 1, 9], scaleOf(this.type(x)) * 3);
    const attrs = { stride: [2, 1], padding: NONE, clamp: this.clamp() } as const;
    return this.node('transpose_conv2d', attrs, [x, this.constant(w), this.bias(w, 0)], y);
  }

  /** Half of the channels, or another order of rows and columns. */
  private cut(x: ValueId): ValueId {
    const type = this.type(x);
    const [, height, width, channels] = type.shape as [number, number, number, number];
    if (this.chance(0.4)) {
      const y = { ...type, shape: [1, width, height, channels] };
      return this.node('transpose', { permutation: [0, 2, 1, 3] }, [x], y);
    }
    const begin = this.chance(0.5) ? [0, 0, 0, 6] : [0, height - 1, 0, 0];
    const shape = [1, height - begin[1]!, width, channels - begin[3]!];
    return this.node('slice', { begin, strides: [1, 1, 1, 1] }, [x], { ...type, shape });
  }

  /** Weights of which whole outputs, and whole columns over `inputs` channels, are zero. */
  private planted(shape: Shape, axis: number, inputs: number, perChannel = true): Constant {
    const w = weights(shape, perChannel ? axis : null, this.integer(1, 1e6));
    const data = w.data as Int8Array;
    const outputs = shape[axis]!;
    const inner = elementCount(shape.slice(axis + 1));
    const dead = Array.from({ length: outputs }, () => this.chance(0.35));
    const unread = Array.from({ length: inputs }, () => this.chance(0.2));
    const zeroed = data.map((value, i) =>
      dead[Math.floor(i / inner) % outputs] || (axis === 0 && unread[i % inputs]) ? 0 : value,
    );
    return { ...w, data: zeroed };
  }

  /** Zero, small, or so large that the output saturates, for each output. */
  private bias({ shape }: Constant, axis: number): ValueId | null {
    if (this.chance(0.1)) return null;
    const data = Int32Array.from({ length: shape[axis]! }, () => {
      if (this.chance(0.4)) return 0;
      if (this.chance(0.5)) return this.integer(-3000, 3000);
      return this.pick([-1, 1]) * this.integer(2 ** 24, 2 ** 30);
    });
    return this.constant({ shape: [data.length], dtype: 'int32', data });
  }

  private out(shape: Shape, scale = 0.05): TensorType {
    return int8(shape, 0.3 * scale * (0.5 + this.random()), this.zeroPoint());
  }

  private clamp(): Clamp {
    if (this.chance(0.5)) return FULL;
    const lowest = this.integer(-128, 0);
    return [lowest, this.chance(0.5) ? 127 : this.integer(lowest, 127)];
  }

  private zeroPoint(): number {
    return this.chance(0.6) ? -128 : this.integer(-128, 127);
  }

  private type(id: ValueId): TensorType {
    const { shape, dtype, quantization } = this.builder.value(id);
    return { shape, dtype, ...(quantization && { quantization }) };
  }

  private constant({ data, ...type }: Constant): ValueId {
    return this.builder.constant(`c${this.nodes}`, type, data);
  }

  private node<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    ins: readonly (ValueId | null)[],
    type: TensorType,
  ): ValueId {
    const name = `${op}_${this.nodes}`;
    const out = this.builder.activation(name, type);
    this.builder.node(op, attrs, ins, [out], { index: this.nodes++, op, name });
    return out;
  }

  private chance(probability: number): boolean {
    return this.random() < probability;
  }

  private integer(lowest: number, highest: number): number {
    return lowest + Math.floor(this.random() * (highest - lowest + 1));
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.integer(0, list.length - 1)]!;
  }
}
