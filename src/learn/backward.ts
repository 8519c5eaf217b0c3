/** The way back: gradients, and on each the updates that wait for it. */
import { fail } from '../core/diagnostics.ts';
import type { NodeAttributes, OpName } from '../ir/attributes.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import {
  describeOrigin,
  elementCount,
  type Node,
  type NodeOf,
  type Origin,
  type Shape,
  type ValueId,
} from '../ir/types.ts';
import { derivativeTable } from './derivatives.ts';
import type { Forward, TrainedLayer } from './forward.ts';
import { isLayer } from './layers.ts';
import type { Scheme } from './scheme.ts';

/** An int8 tensor and the state that holds its exponent: real = value * 2^exponent. */
interface Gradient {
  readonly value: ValueId;
  readonly scale: ValueId;
}

/** Values of the training graph that every step needs. */
export interface StepInputs {
  readonly label: ValueId;
  readonly rate: ValueId;
  /** Batches only: whether this image completes one. */
  readonly apply: ValueId | null;
}

/** A pooling that changes nothing: its gradient is what a mask lets through. */
const ONE_PIXEL = { kernel: [1, 1], stride: [1, 1], padding: [0, 0, 0, 0], clamp: [-128, 127] } as const;

/** What a gradient's exponent and the shift expected for it begin with. */
const FIRST_SCALE = [0, 8];

export class Backward {
  private readonly builder: GraphBuilder;
  private readonly forward: Forward;
  private readonly scheme: Scheme;
  private readonly inputs: StepInputs;
  private readonly random: ValueId;
  /** What readers of a value have sent back so far. */
  private readonly gradients = new Map<ValueId, Gradient>();
  private readonly gradientsOf = new Map<string, number>();

  constructor(builder: GraphBuilder, forward: Forward, scheme: Scheme, inputs: StepInputs, seed: number) {
    this.builder = builder;
    this.forward = forward;
    this.scheme = scheme;
    this.inputs = inputs;
    this.random = builder.state('random', { shape: [1], dtype: 'int32' }, Int32Array.of(seed));
  }

  /** Cross-entropy of the softmax of `logits`: adds its gradient, returns the loss, float32[1]. */
  start(logits: ValueId, origin: Origin): ValueId {
    const { builder } = this;
    const loss = builder.activation('loss', { shape: [1], dtype: 'float32' });
    const operands = [logits, this.inputs.label];
    builder.node('softmax_cross_entropy_loss', {}, operands, [loss], origin);
    this.emit('quantized_softmax_cross_entropy_gradient', {}, operands, logits, origin);
    return loss;
  }

  /** Sends the gradient of a node's output on to its inputs, and updates what the node trains. */
  through(node: Node): void {
    const g = this.gradients.get(node.outs[0]!);
    if (g === undefined) return;
    const trained = isLayer(node) ? this.forward.trained.get(node) : undefined;
    if (trained !== undefined) this.throughTrained(node, trained, g);
    else this.throughFrozen(node, g);
    this.gradients.delete(node.outs[0]!);
  }

  private throughTrained(node: Node, layer: TrainedLayer, g: Gradient): void {
    const { builder } = this;
    const isDepthwise = node.op === 'depthwise_conv2d';
    const window = {
      ...(node.op === 'fully_connected'
        ? { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] }
        : (node.attrs as NodeAttributes['conv2d'])),
      clamp: (node as NodeOf<'conv2d'>).attrs.clamp,
    } as NodeAttributes['conv2d'];
    // The pixel of a dense layer has the gradient of the vector.
    const mask = this.forward.mask(layer.y);
    const gradient = node.op === 'fully_connected' ? this.reshaped(g, layer.y, node.origin) : g;
    const { qas } = this.scheme;
    const momentum = Math.round(this.scheme.momentum * 32768);
    const { rate, apply } = this.inputs;
    const inputScale = builder.value(layer.x).quantization!.scales[0]!;
    // The bias has no part in the gradient of the input, its weights have: they move last.
    const outputs = elementCount(builder.value(layer.bias).shape);
    const biasOperands = [
      gradient.value,
      gradient.scale,
      mask,
      layer.weights,
      layer.bias,
      this.random,
      rate,
      this.perElement('bias velocity', layer.layer, outputs, momentum > 0),
      this.perElement('bias pending', layer.layer, outputs, apply !== null),
      apply,
    ];
    this.update('bias_update', { inputScale, momentum, qas }, biasOperands, node.origin);
    if (this.forward.learning.has(layer.x)) {
      const operands = [gradient.value, gradient.scale, mask, layer.weights, layer.trained, layer.channels];
      const op = isDepthwise
        ? 'quantized_depthwise_conv2d_input_gradient'
        : 'quantized_conv2d_input_gradient';
      this.emit(op, window, operands, layer.x, node.origin);
      if (node.op === 'fully_connected') {
        const pixel = this.gradients.get(layer.x)!;
        this.gradients.delete(layer.x);
        this.contribute(node.ins[0]!, this.reshaped(pixel, node.ins[0]!, node.origin), node.origin);
      }
    }
    if (layer.trained !== null) {
      const count = elementCount(builder.value(layer.trained).shape);
      const { residualBits } = this.scheme;
      const operands = [
        layer.saved,
        gradient.value,
        gradient.scale,
        mask,
        layer.weights,
        layer.trained,
        this.residual(layer.layer, count),
        this.random,
        rate,
        this.perElement('velocity', layer.layer, count, momentum > 0),
        this.perElement('pending', layer.layer, count, apply !== null),
        apply,
        ...(isDepthwise ? [layer.channels] : []),
      ];
      const attrs = { ...window, residualBits, momentum, qas };
      this.update(isDepthwise ? 'depthwise_conv2d_update' : 'conv2d_update', attrs, operands, node.origin);
    }
  }

  private residual(layer: number, count: number): ValueId | null {
    const bits = this.scheme.residualBits;
    if (bits === 0) return null;
    const bytes = Math.ceil((count * bits) / 8);
    // Half a unit, so that weights begin where rounding to nearest has them.
    const half = bits === 4 ? 0x88 : 0x80;
    return this.builder.state(
      `residual ${layer}`,
      { shape: [bytes], dtype: 'uint8' },
      new Uint8Array(bytes).fill(half),
    );
  }

  private perElement(what: string, layer: number, count: number, wanted: boolean): ValueId | null {
    if (!wanted) return null;
    return this.builder.state(`${what} ${layer}`, { shape: [count], dtype: 'int32' }, new Int32Array(count));
  }

  private throughFrozen(node: Node, g: Gradient): void {
    const { builder, forward } = this;
    const mask = forward.mask(node.outs[0]!);
    const to = node.ins.filter((id): id is ValueId => id !== null && forward.learning.has(id));
    switch (node.op) {
      case 'add': {
        if (to.some((id) => !this.sameSize(id, node.outs[0]!))) break;
        const operands = [g.value, g.scale, mask];
        const op = 'quantized_average_pool2d_gradient';
        const passed = mask === null ? g : this.make(op, ONE_PIXEL, operands, node.outs[0]!, node.origin);
        for (const id of to) this.contribute(id, passed, node.origin);
        return;
      }
      case 'reshape':
        for (const id of to) this.contribute(id, this.reshaped(g, id, node.origin), node.origin);
        return;
      case 'mean':
        if (!this.isGlobal(node)) {
          if (!this.isContiguous(node)) break;
          for (const id of to) this.throughMean(node, id, g);
          return;
        }
        for (const id of to) this.emit('mean_gradient', {}, [g.value, g.scale], id, node.origin);
        return;
      case 'average_pool2d':
        for (const id of to)
          this.emit(
            'quantized_average_pool2d_gradient',
            node.attrs,
            [g.value, g.scale, mask],
            id,
            node.origin,
          );
        return;
      case 'max_pool2d':
        for (const id of to)
          this.emit(
            'quantized_max_pool2d_gradient',
            node.attrs,
            [id, g.value, g.scale, mask],
            id,
            node.origin,
          );
        return;
      case 'mul': {
        const [a, b] = node.ins as [ValueId, ValueId];
        if (to.includes(a)) this.emit('mul_gradient', {}, [b, g.value, g.scale, mask], a, node.origin);
        if (to.includes(b)) this.emit('mul_gradient', {}, [a, g.value, g.scale, mask], b, node.origin);
        return;
      }
      case 'conv2d':
      case 'depthwise_conv2d': {
        const [x, weights] = node.ins as [ValueId, ValueId];
        if (builder.value(weights).shape.at(-1) !== builder.value(x).shape.at(-1)) break;
        const op =
          node.op === 'conv2d'
            ? 'quantized_conv2d_input_gradient'
            : 'quantized_depthwise_conv2d_input_gradient';
        this.emit(op, node.attrs, [g.value, g.scale, mask, weights, null, null], x, node.origin);
        return;
      }
      default: {
        const table = derivativeTable(builder, node);
        if (table === null) break;
        this.emit('unary_gradient', table, [node.ins[0]!, g.value, g.scale], node.ins[0]!, node.origin);
        return;
      }
    }
    fail('RV5002', `${node.op} passes no gradient in integers`, {
      origin: describeOrigin(node.origin),
      hint: 'train only what comes after it: fewer biases, and weights of later layers',
    });
  }

  private sameSize(a: ValueId, b: ValueId): boolean {
    return elementCount(this.builder.value(a).shape) === elementCount(this.builder.value(b).shape);
  }

  /** Over height and width, nothing else. */
  private isGlobal(node: NodeOf<'mean'>): boolean {
    return this.builder.value(node.ins[0]!).shape.length === 4 && node.attrs.axes.join() === '1,2';
  }

  /** Over neighbouring axes. */
  private isContiguous({ attrs: { axes } }: NodeOf<'mean'>): boolean {
    return axes.every((axis, i) => axis === axes[0]! + i);
  }

  /** A mean over neighbouring axes is a pooling of rows of a plane [outer, reduced, inner]. */
  private throughMean({ attrs: { axes }, origin }: NodeOf<'mean'>, id: ValueId, g: Gradient): void {
    const { shape } = this.builder.value(id);
    const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
    const outer = product(shape.slice(0, axes[0]!));
    const reduced = product(shape.slice(axes[0]!, axes[0]! + axes.length));
    const inner = product(shape.slice(axes[0]! + axes.length));
    const seen = this.asShape(g, [1, outer, 1, inner], origin);
    const window = [1, reduced] as const;
    const attrs = { ...ONE_PIXEL, kernel: window, stride: window };
    const operands = [seen.value, seen.scale, null];
    const op = 'quantized_average_pool2d_gradient';
    const plane = this.make(op, attrs, operands, id, origin, [1, outer, reduced, inner]);
    this.contribute(id, this.asShape(plane, shape, origin), origin);
  }

  private reshaped(g: Gradient, like: ValueId, origin: Origin): Gradient {
    return this.asShape(g, this.builder.value(like).shape, origin);
  }

  private asShape(g: Gradient, shape: Shape, origin: Origin): Gradient {
    const { builder } = this;
    const value = builder.activation(`${builder.value(g.value).name}/reshaped`, { shape, dtype: 'int8' });
    builder.node('reshape', {}, [g.value], [value], gradientOrigin(origin));
    return { value, scale: g.scale };
  }

  /** Adds an operator that computes a gradient of `of`; its last operand is the state of that gradient's scale. */
  private emit<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    operands: readonly (ValueId | null)[],
    of: ValueId,
    origin: Origin,
  ): void {
    this.contribute(of, this.make(op, attrs, operands, of, origin), origin);
  }

  private make<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    operands: readonly (ValueId | null)[],
    of: ValueId,
    origin: Origin,
    shape: Shape = this.builder.value(of).shape,
  ): Gradient {
    const g = this.gradientLike(shape, this.builder.value(of).name);
    this.builder.node(op, attrs, [...operands, g.scale], [g.value], gradientOrigin(origin));
    return g;
  }

  /** Several readers of a value, and a mask, make several gradients of one name: a number tells the later ones apart. */
  private gradientLike(shape: readonly number[], of: string): Gradient {
    const { builder } = this;
    const count = (this.gradientsOf.get(of) ?? 0) + 1;
    this.gradientsOf.set(of, count);
    const name = count === 1 ? of : `${of}, ${count}`;
    return {
      value: builder.activation(`gradient of ${name}`, { shape, dtype: 'int8' }),
      scale: builder.state(
        `scale of the gradient of ${name}`,
        { shape: [2], dtype: 'int32' },
        Int32Array.from(FIRST_SCALE),
      ),
    };
  }

  /** What several readers of a value send back adds up. */
  private contribute(id: ValueId, g: Gradient, origin: Origin): void {
    const known = this.gradients.get(id);
    if (known === undefined) {
      this.gradients.set(id, g);
      return;
    }
    const { shape, name } = this.builder.value(id);
    const sum = this.gradientLike(shape, `${name}, summed`);
    this.builder.node(
      'gradient_sum',
      {},
      [known.value, known.scale, g.value, g.scale, sum.scale],
      [sum.value],
      gradientOrigin(origin),
    );
    this.gradients.set(id, sum);
  }

  private update<K extends 'conv2d_update' | 'depthwise_conv2d_update' | 'bias_update'>(
    op: K,
    attrs: NodeAttributes[K],
    operands: readonly (ValueId | null)[],
    origin: Origin,
  ): void {
    const clamped = this.builder.activation(`${origin.name}/clamped`, { shape: [1], dtype: 'int32' });
    this.builder.node(op, attrs, operands, [clamped], { ...origin, op: `${origin.op} update` });
  }
}

function gradientOrigin(origin: Origin): Origin {
  return { ...origin, op: `${origin.op} gradient` };
}
