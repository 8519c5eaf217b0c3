import type { Layer } from './network.ts';

/** Float32Array while training, Int8Array and Int32Array once quantised: the linear maps are the same. */
export type Numbers = Float32Array | Int32Array | Int8Array;

/**
 * Adds the layer's linear map to `sums`, which the caller has filled with the bias.
 * @param weights the kernel in TFLite's layout: [out][y][x][in] for conv and dense, [y][x][channel] for depthwise
 * @param input the input plane (for quantised numbers with the zero point already taken off)
 * @param sums the output plane
 */
export function accumulate(layer: Layer, weights: Numbers, input: Numbers, sums: Numbers): void {
  if (layer.kind === 'depthwise') accumulateDepthwise(layer, weights, input, sums);
  else accumulateDense(layer, weights, input, sums);
}

function accumulateDense({ links, ...layer }: Layer, weights: Numbers, input: Numbers, sums: Numbers): void {
  const [inChannels, outChannels] = [layer.input.channels, layer.output.channels];
  for (let link = 0; link < links.length; link += 3) {
    const out = links[link]! * outChannels;
    const from = links[link + 1]! * inChannels;
    let row = links[link + 2]! * inChannels;
    for (let c = 0; c < outChannels; c++) {
      let sum = 0;
      for (let i = 0; i < inChannels; i++) sum += weights[row + i]! * input[from + i]!;
      sums[out + c]! += sum;
      row += layer.weightsPerChannel;
    }
  }
}

function accumulateDepthwise(
  { links, output }: Layer,
  weights: Numbers,
  input: Numbers,
  sums: Numbers,
): void {
  const { channels } = output;
  for (let link = 0; link < links.length; link += 3) {
    const out = links[link]! * channels;
    const from = links[link + 1]! * channels;
    const tap = links[link + 2]! * channels;
    for (let c = 0; c < channels; c++) sums[out + c]! += weights[tap + c]! * input[from + c]!;
  }
}

/** A quantity and the gradient of the loss with respect to it, of the same layout. */
export interface Dual {
  readonly value: Float32Array;
  readonly gradient: Float32Array;
}

/** Adds the gradients of `accumulate` to those of `weights` and `input`, from the gradient of its sums. */
export function accumulateGradients(layer: Layer, weights: Dual, input: Dual, gradient: Float32Array): void {
  if (layer.kind === 'depthwise') depthwiseGradients(layer, weights, input, gradient);
  else denseGradients(layer, weights, input, gradient);
}

function denseGradients(
  { links, ...layer }: Layer,
  weights: Dual,
  input: Dual,
  gradient: Float32Array,
): void {
  const { value: w, gradient: dw } = weights;
  const { value: x, gradient: dx } = input;
  const [inChannels, outChannels] = [layer.input.channels, layer.output.channels];
  for (let link = 0; link < links.length; link += 3) {
    const out = links[link]! * outChannels;
    const from = links[link + 1]! * inChannels;
    let row = links[link + 2]! * inChannels;
    for (let c = 0; c < outChannels; c++, row += layer.weightsPerChannel) {
      const g = gradient[out + c]!;
      if (g === 0) continue; // about half are: their activation lies at a limit
      for (let i = 0; i < inChannels; i++) {
        dw[row + i]! += g * x[from + i]!;
        dx[from + i]! += g * w[row + i]!;
      }
    }
  }
}

function depthwiseGradients(
  { links, output }: Layer,
  weights: Dual,
  input: Dual,
  gradient: Float32Array,
): void {
  const { value: w, gradient: dw } = weights;
  const { value: x, gradient: dx } = input;
  const { channels } = output;
  for (let link = 0; link < links.length; link += 3) {
    const out = links[link]! * channels;
    const from = links[link + 1]! * channels;
    const tap = links[link + 2]! * channels;
    for (let c = 0; c < channels; c++) {
      const g = gradient[out + c]!;
      dw[tap + c]! += g * x[from + c]!;
      dx[from + c]! += g * w[tap + c]!;
    }
  }
}

/** The ceiling of each activation; all but NONE have the floor 0. */
export const CEILING = { NONE: Infinity, RELU: Infinity, RELU6: 6 } as const;

export function activate({ activation }: Layer, values: Float32Array): void {
  if (activation === 'NONE') return;
  const ceiling = CEILING[activation];
  for (let i = 0; i < values.length; i++) values[i] = Math.min(Math.max(values[i]!, 0), ceiling);
}

/** Clears the gradient wherever the activated value lies at a limit. */
export function activateGradient({ activation }: Layer, { value, gradient }: Dual): void {
  if (activation === 'NONE') return;
  const ceiling = CEILING[activation];
  for (let i = 0; i < value.length; i++) if (value[i]! <= 0 || value[i]! >= ceiling) gradient[i] = 0;
}

/** Adds every channel of `plane` over all its pixels to `sums`, one per channel. */
export function sumPixels(plane: Float32Array, sums: Float32Array): void {
  for (let i = 0; i < plane.length; i++) sums[i % sums.length]! += plane[i]!;
}

export function addTo(sums: Float32Array, terms: Float32Array): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += terms[i]!;
}

/**
 * exp(x) for x <= 0: a Taylor series at x / 1024, squared ten times. Math.exp may differ from one JavaScript engine to the
 * next; sums and products may not, and the bytes of the model shall depend on nothing else.
 */
function exp(x: number): number {
  const small = Math.max(x, -700) / 1024;
  let term = 1;
  let power = 1;
  for (let n = 1; n <= 12; n++) {
    term *= small / n;
    power += term;
  }
  for (let n = 0; n < 10; n++) power *= power;
  return power;
}

/** Probabilities of the classes. */
export function softmax(scores: Float32Array): Float32Array {
  const top = scores.reduce((a, b) => Math.max(a, b));
  const powers = scores.map((score) => exp(score - top));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

/** The class with the highest score, the first of equals. */
export function best(scores: Numbers): number {
  let winner = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[winner]!) winner = i;
  return winner;
}
