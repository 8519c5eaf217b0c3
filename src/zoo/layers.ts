/** A network, layer by layer: what the architecture says, before there are any weights. */
import type { Architecture } from './networks.ts';

/** Height, width, channels; a vector has height and width 1. */
export type Shape = readonly [number, number, number];

/** The index that stands for the image where layers name their inputs. */
export const IMAGE = -1;

export interface Layer {
  readonly name: string;
  readonly op: 'conv' | 'depthwise' | 'add' | 'mean' | 'dense';
  /** Layers whose results it reads, all of them earlier, or `IMAGE`. */
  readonly inputs: readonly number[];
  /** Of the result. */
  readonly shape: Shape;
  /** Height and width of the filter and its step, the same in both directions; 1 where there is none. */
  readonly kernel: number;
  readonly stride: number;
  /** Rows above and below, which are also the columns before and behind. */
  readonly padding: readonly [number, number];
  /** Whether the result is clamped to [0, 6]. */
  readonly relu6: boolean;
}

export function inputShape({ resolution, imageChannels }: Architecture): Shape {
  return [resolution, resolution, imageChannels];
}

/** All layers in order of execution; the last is the classifier. */
export function layersOf(network: Architecture): Layer[] {
  const layers: Layer[] = [];
  const shapeOf = (index: number) => (index === IMAGE ? inputShape(network) : layers[index]!.shape);
  const add = (layer: Layer) => layers.push(layer) - 1;
  const plain = { kernel: 1, stride: 1, padding: [0, 0], relu6: false } as const;

  const convolution = (
    name: string,
    op: 'conv' | 'depthwise',
    input: number,
    channels: number,
    { kernel = 1, stride = 1, relu6 = true },
  ) => {
    const size = shapeOf(input)[0];
    const padding =
      network.padding === 'same' ? samePadding(size, kernel, stride) : ([kernel >> 1, kernel >> 1] as const);
    const rows = Math.floor((size + padding[0] + padding[1] - kernel) / stride) + 1;
    return add({ name, op, inputs: [input], shape: [rows, rows, channels], kernel, stride, padding, relu6 });
  };

  let x = convolution('stem', 'conv', IMAGE, network.stem, { kernel: 3, stride: network.stemStride });
  for (const [i, block] of network.blocks.entries()) {
    const { name = `block${i}`, kernel, expansion, channels, stride } = block;
    const from = x;
    const narrow = shapeOf(from)[2];
    // Both papers round the product to a multiple of 8, which it is: every narrow width already is one. Only files that
    // say how many channels they want have other ratios.
    const wide = Math.round(narrow * expansion);
    if (expansion !== 1) x = convolution(`${name}/expand`, 'conv', x, wide, {});
    x = convolution(`${name}/depthwise`, 'depthwise', x, wide, { kernel, stride });
    x = convolution(`${name}/project`, 'conv', x, channels, { relu6: false });
    if (stride === 1 && channels === narrow && expansion !== 1) {
      x = add({ ...plain, name: `${name}/add`, op: 'add', inputs: [from, x], shape: shapeOf(x) });
    }
  }
  if (network.head !== null) x = convolution('head', 'conv', x, network.head, {});
  x = add({ ...plain, name: 'mean', op: 'mean', inputs: [x], shape: [1, 1, shapeOf(x)[2]] });
  add({ ...plain, name: 'logits', op: 'dense', inputs: [x], shape: [1, 1, network.classes] });
  return layers;
}

/** TensorFlow's SAME: ceil(size / stride) results, the odd row or column behind. */
export function samePadding(size: number, kernel: number, stride: number): readonly [number, number] {
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
  return [total >> 1, total - (total >> 1)];
}

/** Elements of a layer's weights, without biases. */
export function weightCount(layer: Layer, channelsIn: number): number {
  const [, , channels] = layer.shape;
  switch (layer.op) {
    case 'conv':
    case 'dense':
      return channels * layer.kernel ** 2 * channelsIn;
    case 'depthwise':
      return channels * layer.kernel ** 2;
    case 'add':
    case 'mean':
      return 0;
  }
}

export interface ZooCost {
  /** Multiply-accumulates of convolutions and classifier. */
  readonly macs: number;
  /** Weights and biases as the file has them, batch normalisation folded. */
  readonly parameters: number;
  /** As the papers count: one more for each channel of a convolution, the factor of its batch normalisation. */
  readonly trainedParameters: number;
}

export function costOf(network: Architecture): ZooCost {
  const layers = layersOf(network);
  let [macs, parameters, normalised] = [0, 0, 0];
  for (const layer of layers) {
    const from = layer.inputs[0]!;
    const weights = weightCount(layer, (from === IMAGE ? inputShape(network) : layers[from]!.shape)[2]);
    const [height, width, channels] = layer.shape;
    macs += height * width * weights;
    if (weights > 0) parameters += weights + channels;
    if (layer.op === 'conv' || layer.op === 'depthwise') normalised += channels;
  }
  return { macs, parameters, trainedParameters: parameters + normalised };
}
