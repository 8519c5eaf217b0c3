/**
 * The inference of a training step: the model with its trained layers as operators whose parameters are states, and with
 * everything kept that the way back needs.
 */
import type { GraphBuilder } from '../ir/builder.ts';
import { elementCount, type Node, type Value, type ValueId } from '../ir/types.ts';
import { isLayer, type LayerNode } from './layers.ts';
import type { LayerTraining } from './plan-training.ts';

/** What the way back finds of a layer: values of the training graph. */
export interface TrainedLayer {
  readonly layer: number;
  /** By index, 'all' or 'none'. */
  readonly selection: LayerTraining['channels'];
  /** int8 constant: all weights as they begin. */
  readonly weights: ValueId;
  readonly bias: ValueId;
  readonly trained: ValueId | null;
  /** int32 constant: the trained channels; null: all, or none. */
  readonly channels: ValueId | null;
  /** The layer's input, of the trained channels only; null if no weights are trained. */
  readonly saved: ValueId | null;
  /** Input and output as the convolution sees them: [1, height, width, channels]. */
  readonly x: ValueId;
  readonly y: ValueId;
}

export class Forward {
  /** Values that trained parameters have a part in: gradients go back through these only. */
  readonly learning = new Set<ValueId>();
  readonly trained = new Map<LayerNode, TrainedLayer>();
  private readonly builder: GraphBuilder;
  private readonly masks = new Map<ValueId, ValueId>();
  private readonly training: ReadonlyMap<LayerNode, LayerTraining>;

  constructor(builder: GraphBuilder, training: ReadonlyMap<LayerNode, LayerTraining>) {
    this.builder = builder;
    this.training = training;
  }

  /** One bit for each element of a value, whether the gradient passes; null: it passes everywhere. */
  mask(id: ValueId): ValueId | null {
    return this.masks.get(id) ?? null;
  }

  add(node: Node): void {
    const training = isLayer(node) ? this.training.get(node) : undefined;
    if (training !== undefined) this.addTrained(node as LayerNode, training);
    else this.builder.push(node);
    const learns = training !== undefined || node.ins.some((id) => id !== null && this.learning.has(id));
    if (!learns) return;
    for (const id of node.outs) {
      this.learning.add(id);
      if (training === undefined) this.addMask(node, id);
    }
  }

  private addTrained(node: LayerNode, training: LayerTraining): void {
    const { builder } = this;
    const [input, weightsId, biasId] = node.ins as [ValueId, ValueId, ValueId | null];
    const name = node.origin.name;
    const isDense = node.op === 'fully_connected';
    const weights = isDense ? this.asPointwise(weightsId) : builder.value(weightsId);
    const outputs = isDense || node.op === 'conv2d' ? weights.shape[0]! : weights.shape[3]!;
    const x = isDense ? this.asPixel(node, input) : input;
    const output = builder.value(node.outs[0]!);
    const y = isDense
      ? builder.activation(`${name}/pixel`, { ...output, shape: [1, 1, 1, outputs] })
      : output.id;
    const initial = biasId === null ? new Int32Array(outputs) : (builder.value(biasId).data as Int32Array);
    const bias = builder.state(`bias ${training.layer}`, { shape: [outputs], dtype: 'int32' }, initial);
    const { channels } = training;
    const list = typeof channels === 'string' ? null : channels;
    const index =
      list &&
      builder.constant(`${name}/channels`, { shape: [list.length], dtype: 'int32' }, Int32Array.from(list));
    const trained = channels === 'none' ? null : this.trainedState(weights, training);
    // Before the layer: its rows go as they come, and what is kept of them must be taken first.
    const saved = trained === null ? null : list === null ? x : this.gather(node, x, list);
    const ins = [x, weights.id, bias, trained, index];
    if (node.op === 'depthwise_conv2d')
      builder.node('trained_depthwise_conv2d', node.attrs, ins, [y], node.origin);
    else if (node.op === 'conv2d') builder.node('trained_conv2d', node.attrs, ins, [y], node.origin);
    else {
      const attrs = {
        stride: [1, 1],
        dilation: [1, 1],
        padding: [0, 0, 0, 0],
        clamp: node.attrs.clamp,
      } as const;
      builder.node('trained_conv2d', attrs, ins, [y], node.origin);
      builder.node('reshape', {}, [y], [output.id], node.origin);
    }
    this.addMask(node, y);
    this.trained.set(node, {
      layer: training.layer,
      selection: channels,
      ...{ weights: weights.id, bias, trained, channels: index, saved, x, y },
    });
  }

  private gather(node: LayerNode, x: ValueId, channels: readonly number[]): ValueId {
    const input = this.builder.value(x);
    const saved = this.builder.activation(`${input.name}/trained channels`, {
      ...input,
      shape: [...input.shape.slice(0, -1), channels.length],
    });
    this.builder.node('gather_channels', { channels }, [x], [saved], node.origin);
    return saved;
  }

  /** The trained part of the weights as a state that begins with the model's. */
  private trainedState(weights: Value, { layer, channels }: LayerTraining): ValueId {
    const all = weights.data as Int8Array;
    const depth = weights.shape.at(-1)!;
    const list = channels === 'all' ? [...new Array(depth).keys()] : (channels as readonly number[]);
    const part = new Int8Array((all.length / depth) * list.length);
    for (let i = 0; i < part.length; ++i)
      part[i] = all[Math.floor(i / list.length) * depth + list[i % list.length]!]!;
    return this.builder.state(
      `weights ${layer}`,
      { shape: [...weights.shape.slice(0, -1), list.length], dtype: 'int8' },
      part,
    );
  }

  /** A dense layer is a convolution of a picture of one pixel. */
  private asPointwise(weightsId: ValueId): Value {
    const weights = this.builder.value(weightsId);
    const [outputs, inputs] = weights.shape as [number, number];
    const id = this.builder.constant(
      weights.name,
      { ...weights, shape: [outputs, 1, 1, inputs] },
      weights.data!,
    );
    return this.builder.value(id);
  }

  private asPixel(node: LayerNode, input: ValueId): ValueId {
    const value = this.builder.value(input);
    const pixel = this.builder.activation(`${value.name}/pixel`, {
      ...value,
      shape: [1, 1, 1, elementCount(value.shape)],
    });
    this.builder.node('reshape', {}, [input], [pixel], node.origin);
    if (this.learning.has(input)) this.learning.add(pixel);
    return pixel;
  }

  /**
   * Notes where an activation cut off. A clamp that is not narrower than int8 is an activation only if the zero point lies at
   * its end: then it is a ReLU, or ReLU6, that the converter folded into the quantisation. Elsewhere it cuts off what the
   * calibration did not foresee; that is rare, and the gradient passes.
   */
  private addMask(node: Node, id: ValueId): void {
    const y = this.builder.value(id);
    if (y.dtype !== 'int8' || !('clamp' in node.attrs)) return;
    const [lowest, highest] = node.attrs.clamp;
    const zeroPoint = y.quantization!.zeroPoints[0]!;
    if (lowest <= -128 && highest >= 127 && zeroPoint !== -128) return;
    const [channels, width, height] = [...y.shape].reverse() as [number, number, number];
    const mask = this.builder.activation(`${y.name}/mask`, {
      shape: [1, height ?? 1, 1, Math.ceil(((width ?? 1) * channels) / 8)],
      dtype: 'uint8',
    });
    this.builder.node('clamp_mask', { clamp: [lowest, highest] }, [id], [mask], node.origin);
    this.masks.set(id, mask);
  }
}
