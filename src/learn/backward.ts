/** The way back: gradients, and on each the updates that wait for it. */
import { fail } from '../core/diagnostics.ts';
import type { NodeAttributes } from '../ir/attributes.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import {
  describeOrigin,
  elementCount,
  type Node,
  type NodeOf,
  type Origin,
  type ValueId,
} from '../ir/types.ts';
import type { Forward, TrainedLayer } from './forward.ts';
import { passBack } from './frozen-rules.ts';
import { type Gradient, GradientSteps } from './gradient-steps.ts';
import { isLayer } from './layers.ts';
import type { Scheme } from './scheme.ts';

/** Values of the training graph that every step needs. */
export interface StepInputs {
  readonly label: ValueId;
  readonly rate: ValueId;
  /** Batches only: whether this image completes one. */
  readonly apply: ValueId | null;
}

export class Backward {
  private readonly builder: GraphBuilder;
  private readonly forward: Forward;
  private readonly scheme: Scheme;
  private readonly inputs: StepInputs;
  private readonly random: ValueId;
  /** What readers of a value have sent back so far. */
  private readonly gradients = new Map<ValueId, Gradient>();
  private readonly steps: GradientSteps;

  constructor(builder: GraphBuilder, forward: Forward, scheme: Scheme, inputs: StepInputs, seed: number) {
    this.builder = builder;
    this.forward = forward;
    this.scheme = scheme;
    this.inputs = inputs;
    this.steps = new GradientSteps(builder);
    this.random = builder.state('random', { shape: [1], dtype: 'int32' }, Int32Array.of(seed));
  }

  /** Cross-entropy of the softmax of `logits`: adds its gradient, returns the loss, float32[1]. */
  start(logits: ValueId, origin: Origin): ValueId {
    const { builder } = this;
    const loss = builder.activation('loss', { shape: [1], dtype: 'float32' });
    const operands = [logits, this.inputs.label];
    builder.node('softmax_cross_entropy_loss', {}, operands, [loss], origin);
    const op = 'quantized_softmax_cross_entropy_gradient';
    this.contribute(logits, this.steps.make(op, {}, operands, logits, origin), origin);
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
    const { builder, steps } = this;
    const isDepthwise = node.op === 'depthwise_conv2d';
    const window = {
      ...(node.op === 'fully_connected'
        ? { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] }
        : (node.attrs as NodeAttributes['conv2d'])),
      clamp: (node as NodeOf<'conv2d'>).attrs.clamp,
    } as NodeAttributes['conv2d'];
    // The pixel of a dense layer has the gradient of the vector.
    const mask = this.forward.mask(layer.y);
    const gradient = steps.asShape(g, steps.shapeOf(layer.y), node.origin);
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
      const made = steps.make(op, window, operands, layer.x, node.origin);
      const x = node.ins[0]!;
      this.contribute(x, steps.asShape(made, steps.shapeOf(x), node.origin), node.origin);
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
    const { forward, steps } = this;
    const mask = forward.mask(node.outs[0]!);
    const wanted = [...node.ins.keys()].filter(
      (i) => node.ins[i] != null && forward.learning.has(node.ins[i]),
    );
    const give = (operand: number, gradient: Gradient): void =>
      this.contribute(node.ins[operand]!, gradient, node.origin);
    if (passBack({ node, steps, g, mask, wanted, give })) return;
    fail('RV5002', `${node.op} passes no gradient in integers`, {
      origin: describeOrigin(node.origin),
      hint: 'train only what comes after it: fewer biases, and weights of later layers',
    });
  }

  /** What several readers of a value send back adds up. */
  private contribute(id: ValueId, g: Gradient, origin: Origin): void {
    const known = this.gradients.get(id);
    this.gradients.set(id, known === undefined ? g : this.steps.sum(known, g, id, origin));
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
