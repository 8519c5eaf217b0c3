/**
 * Seeded weights that behave like trained ones: a float pass over one pattern image normalises every convolution as batch
 * normalisation would, so that no layer saturates or dies, however deep the network. Only +, -, *, / and square roots,
 * which every JavaScript engine rounds alike: equal seeds give equal numbers everywhere.
 */
import { createRandom, patternBytes } from '../core/random.ts';
import { IMAGE, inputShape, type Layer, layersOf, type Shape, weightCount } from './layers.ts';
import type { Architecture } from './networks.ts';

/** real = (q + 1) * 2 / 255, which takes int8 to [-1, 1]: pictures with mean 0.5 and deviation 0.5, as published. */
export const IMAGE_SCALE = 2 / 255;
export const IMAGE_ZERO_POINT = -1;

/** Not the seed of any test: a network whose means were taken from the very image it is run on would ignore it. */
const CALIBRATION_SEED = 0x5eed;

/** How far beyond the calibration image's the range of a layer reaches: other images go a little further. */
const HEADROOM = 1.25;

/** Standard deviations of the logits that their range covers on either side. */
const LOGIT_DEVIATIONS = 4;

export interface CalibratedLayer extends Layer {
  /** As TFLite orders them: [out, y, x, in], depthwise [y, x, channel]; empty for an addition and the mean. */
  readonly weights: Float32Array;
  /** One for each channel, empty where there are no weights. */
  readonly biases: Float32Array;
  /** Of the real results; includes 0. */
  readonly range: readonly [number, number];
}

/**
 * Weights at once, for questions of shapes only: what the layers compute means nothing, though no channel is constant and
 * no sum of products leaves its type, so that passes and kernels are those of a trained network.
 * @param image of what the layers read by the index `IMAGE`
 */
export function placeholders(layers: readonly Layer[], image: Shape, seed: number): CalibratedLayer[] {
  const random = createRandom(seed);
  return layers.map((layer) => {
    const from = layer.inputs[0]!;
    const [, , depth] = from === IMAGE ? image : layers[from]!.shape;
    const count = weightCount(layer, depth);
    const reach = 1 / Math.sqrt(Math.max(1, count / layer.shape[2]));
    // The same few hundred numbers over and over: drawing a million takes longer than all the rest.
    const pattern = Float32Array.from({ length: PATTERN }, () => (2 * random() - 1) * reach);
    const weights = new Float32Array(count);
    for (let i = 0; i < count; ++i) weights[i] = pattern[i % PATTERN]!;
    // Above zero: where all weights of a filter are negative, the clamp would leave nothing of its channel.
    const biases = new Float32Array(count === 0 ? 0 : layer.shape[2]).fill(0.5);
    return { ...layer, weights, biases, range: placeholderRange(layer) };
  });
}

/** Of the real results of a layer. The mean has one of its own, as in trained networks. */
export function placeholderRange({ op, relu6 }: Layer): readonly [number, number] {
  if (relu6) return [0, 6];
  return op === 'mean' ? [-5, 5] : [-6, 6];
}

/** A prime: filters, whose sizes are no multiples of it, differ from each other. */
const PATTERN = 499;

/** The layers of a network with batch normalisation folded into their weights. */
export function calibrate(network: Architecture, seed: number): CalibratedLayer[] {
  const random = createRandom(seed);
  const image: Plane = { shape: inputShape(network), data: calibrationImage(network) };
  const planes: Plane[] = [];
  return layersOf(network).map((layer) => {
    const inputs = layer.inputs.map((index) => planes[index] ?? image);
    const { data, ...calibrated } = calibrateLayer(layer, inputs, random);
    planes.push({ shape: layer.shape, data });
    return { ...layer, ...calibrated };
  });
}

/** Real values, row-major: height, width, channels. */
interface Plane {
  readonly shape: Shape;
  readonly data: Float32Array;
}

type LayerResult = Pick<CalibratedLayer, 'weights' | 'biases' | 'range'> & { readonly data: Float32Array };

const NONE = new Float32Array(0);

function calibrationImage(network: Architecture): Float32Array {
  const [height, width, channels] = inputShape(network);
  return Float32Array.from(
    patternBytes(height * width * channels, CALIBRATION_SEED),
    (q) => (q - IMAGE_ZERO_POINT) * IMAGE_SCALE,
  );
}

function calibrateLayer(layer: Layer, inputs: readonly Plane[], random: () => number): LayerResult {
  const x = inputs[0]!;
  switch (layer.op) {
    case 'conv':
    case 'depthwise': {
      const weights = bell(weightCount(layer, x.shape[2]), random);
      const data = layer.op === 'conv' ? convolve(layer, x, weights) : convolveDepthwise(layer, x, weights);
      const biases = normalise(layer, weights, data, random);
      return { weights, biases, data, range: layer.relu6 ? [0, 6] : rangeOf(data) };
    }
    case 'add': {
      const data = x.data.map((value, i) => value + inputs[1]!.data[i]!);
      return { weights: NONE, biases: NONE, data, range: rangeOf(data) };
    }
    case 'mean': {
      const data = meanOfRows(x);
      return { weights: NONE, biases: NONE, data, range: rangeOf(data) };
    }
    case 'dense': {
      // Expected deviation 1, not measured: there may be no more than two logits to measure it from.
      const length = Math.sqrt(x.data.reduce((sum, value) => sum + value * value, 0));
      const weights = bell(weightCount(layer, x.shape[2]), random).map((w) => w / length);
      const biases = bell(layer.shape[2], random).map((b) => b / 4);
      return { weights, biases, data: NONE, range: [-LOGIT_DEVIATIONS, LOGIT_DEVIATIONS] };
    }
  }
}

/** Numbers of mean 0 and variance 1, triangular: most are small, as in trained weights. */
function bell(count: number, random: () => number): Float32Array {
  return Float32Array.from({ length: count }, () => (random() - random()) * Math.sqrt(6));
}

/**
 * Batch normalisation, folded: subtracts the mean of each channel and divides by the deviation of the whole layer (that of
 * one channel would be noise where the plane has four pixels), then applies a seeded factor and offset, and the clamp.
 * Changes `weights` and `data` in place; returns the biases.
 */
function normalise(
  layer: Layer,
  weights: Float32Array,
  data: Float32Array,
  random: () => number,
): Float32Array {
  const channels = layer.shape[2];
  const means = meanOfRows({ shape: layer.shape, data });
  let squares = 0;
  for (let i = 0; i < data.length; ++i) squares += (data[i]! - means[i % channels]!) ** 2;
  const deviation = Math.sqrt(squares / data.length);

  // Before a clamp to [0, 6] wide and a little positive: about a third of the values are cut off below, a few above.
  const [least, most, offset] = layer.relu6 ? [1, 2.5, 0.8] : [0.5, 1.5, 0];
  const factors = Float32Array.from(means, () => (least + (most - least) * random()) / deviation);
  const biases = bell(channels, random).map((b, c) => b / 2 + offset - means[c]! * factors[c]!);

  // Filters of a convolution lie one behind the other; those of a depthwise one are interleaved.
  const filter = weights.length / channels;
  const channelOf = (i: number) => (layer.op === 'conv' ? Math.floor(i / filter) : i % channels);
  for (let i = 0; i < weights.length; ++i) weights[i]! *= factors[channelOf(i)]!;
  for (let i = 0; i < data.length; ++i) {
    const c = i % channels;
    const value = data[i]! * factors[c]! + biases[c]!;
    data[i] = layer.relu6 ? Math.min(Math.max(value, 0), 6) : value;
  }
  return biases;
}

/** The mean of each channel over all pixels. */
function meanOfRows({ shape: [height, width, channels], data }: Plane): Float32Array {
  const sums = new Float64Array(channels);
  for (let i = 0; i < data.length; ++i) sums[i % channels]! += data[i]!;
  return Float32Array.from(sums, (sum) => sum / (height * width));
}

function rangeOf(data: Float32Array): [number, number] {
  let [least, most] = [0, 0];
  for (const value of data) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least * HEADROOM, most * HEADROOM];
}

/** Calls `tap` for every pixel of the result and every filter position that lies inside the plane. */
function forEachTap(
  { shape, kernel, stride, padding }: Layer,
  x: Plane,
  tap: (outPixel: number, inPixel: number, position: number) => void,
): void {
  const [rows, columns] = shape;
  const [height, width] = x.shape;
  for (let y = 0; y < rows; ++y) {
    for (let c = 0; c < columns; ++c) {
      for (let ky = 0; ky < kernel; ++ky) {
        const row = y * stride - padding[0] + ky;
        if (row < 0 || row >= height) continue;
        for (let kx = 0; kx < kernel; ++kx) {
          const column = c * stride - padding[0] + kx;
          if (column < 0 || column >= width) continue;
          tap(y * columns + c, row * width + column, ky * kernel + kx);
        }
      }
    }
  }
}

function convolve(layer: Layer, x: Plane, weights: Float32Array): Float32Array {
  const [height, width, channels] = layer.shape;
  const depth = x.shape[2];
  const filter = layer.kernel ** 2 * depth;
  const data = new Float32Array(height * width * channels);
  forEachTap(layer, x, (outPixel, inPixel, position) => {
    const from = inPixel * depth;
    for (let c = 0; c < channels; ++c) {
      const start = c * filter + position * depth;
      let sum = 0;
      for (let i = 0; i < depth; ++i) sum += x.data[from + i]! * weights[start + i]!;
      data[outPixel * channels + c]! += sum;
    }
  });
  return data;
}

function convolveDepthwise(layer: Layer, x: Plane, weights: Float32Array): Float32Array {
  const [height, width, channels] = layer.shape;
  const data = new Float32Array(height * width * channels);
  forEachTap(layer, x, (outPixel, inPixel, position) => {
    const [to, from, start] = [outPixel * channels, inPixel * channels, position * channels];
    for (let c = 0; c < channels; ++c) data[to + c]! += x.data[from + c]! * weights[start + c]!;
  });
  return data;
}
