/**
 * Networks described by data: convolutions, inverted bottlenecks (Sandler and others, 2018) and plain residual blocks
 * (He and others, 2016), with batch normalisation behind every convolution.
 */

import { float } from '../autodiff/float-steps.ts';
import { type ConvolutionOptions, Network, type NetworkOptions, SIX } from '../autodiff/network.ts';
import type { Clamp } from '../ir/attributes.ts';
import type { Graph, ValueId } from '../ir/types.ts';

interface NamedBlock {
  /** Of its states, before `/weights` or `/expand/weights` and so on; default `b0`, `b1` ... by its place. */
  readonly name?: string;
}

/** A convolution with ReLU6. */
export interface StemBlock extends NamedBlock {
  readonly kind: 'conv';
  readonly kernel: number;
  readonly channels: number;
  readonly stride: number;
}

/**
 * Pointwise expansion to `middle` channels, depthwise, pointwise projection; the sum with x where shapes allow and there is
 * an expansion.
 */
export interface InvertedBlock extends NamedBlock {
  readonly kind: 'inverted';
  readonly kernel: number;
  /** Channels of the depthwise convolution; the same as those of x: no expansion. */
  readonly middle: number;
  readonly channels: number;
  readonly stride: number;
}

/** Two 3x3 convolutions and the sum with x, which a pointwise convolution brings to its shape where it differs. */
export interface ResidualBlock extends NamedBlock {
  readonly kind: 'residual';
  readonly channels: number;
  readonly stride: number;
}

export type Block = StemBlock | InvertedBlock | ResidualBlock;

/** What a network computes: pictures in, logits out. */
export interface NetworkDescription {
  readonly name: string;
  /** Height, width, channels of a picture. */
  readonly input: readonly [height: number, width: number, channels: number];
  readonly classes: number;
  readonly blocks: readonly Block[];
}

export interface TrainableOptions extends NetworkOptions {
  readonly batch: number;
  /** Of the labels, in the loss. Default 0. */
  readonly smoothing?: number;
}

const RELU: Clamp = [0, Number.POSITIVE_INFINITY];

/**
 * The float32 network: input `image` [batch, height, width, channels] and `labels` [batch], outputs `loss` [1] and `logits`
 * [batch, classes]. States are named `b0/expand/weights`, `b0/depthwise/gamma` and so on, of the classifier `logits/weights`.
 */
export function networkOf(
  description: NetworkDescription,
  { batch, smoothing = 0, ...options }: TrainableOptions,
): Graph {
  const net = new Network(description.name, options);
  const labels = net.labels('labels', batch);
  const image = net.input('image', [batch, ...description.input]);
  const last = description.blocks.reduce(
    (x, block, i) => addBlock(net, block.name ?? `b${i}`, x, block),
    image,
  );
  const logits = net.dense('logits', net.globalMean('mean', last), description.classes);
  return net.build([net.crossEntropy(logits, labels, smoothing), logits]);
}

function addBlock(net: Network, name: string, x: ValueId, block: Block): ValueId {
  switch (block.kind) {
    case 'conv':
      return net.conv(name, x, block.channels, block.kernel, { ...ACTIVE, stride: block.stride });
    case 'inverted':
      return inverted(net, name, x, block);
    case 'residual':
      return residual(net, name, x, block);
  }
}

const ACTIVE: ConvolutionOptions = { norm: true, clamp: SIX };

function inverted(net: Network, name: string, x: ValueId, block: InvertedBlock): ValueId {
  const { kernel, middle, channels, stride } = block;
  const depth = net.shape(x)[3]!;
  const wide = middle === depth ? x : net.conv(`${name}/expand`, x, middle, 1, ACTIVE);
  const deep = net.depthwise(`${name}/depthwise`, wide, kernel, { ...ACTIVE, stride });
  const narrow = net.conv(`${name}/project`, deep, channels, 1, { norm: true });
  const sums = stride === 1 && depth === channels && middle !== depth;
  return sums ? net.add(`${name}/add`, x, narrow) : narrow;
}

function residual(net: Network, name: string, x: ValueId, { channels, stride }: ResidualBlock): ValueId {
  const first = net.conv(`${name}/first`, x, channels, 3, { norm: true, clamp: RELU, stride });
  const second = net.conv(`${name}/second`, first, channels, 3, { norm: true });
  const same = stride === 1 && net.shape(x)[3] === channels;
  const shortcut = same ? x : net.conv(`${name}/shortcut`, x, channels, 1, { norm: true, stride });
  return net.node('add', { clamp: RELU }, [shortcut, second], float(net.shape(second)), `${name}/add`);
}
