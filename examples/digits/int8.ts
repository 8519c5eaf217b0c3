import { clamp, quantizeMultiplier, requantize } from '../../src/core/fixedpoint.ts';
import { accumulate, CEILING } from './layers.ts';
import { type Layer, sizeOf } from './network.ts';
import type { QuantizedLayer, QuantizedNetwork, Scale } from './quantize.ts';

/**
 * The class scores of a picture as TFLite's reference kernels compute them. The softmax of the model is left out: it keeps
 * their order.
 * @param pixels grey values of 0 to 255
 */
export function forward({ network, layers, scales }: QuantizedNetwork, pixels: Uint8Array): Int8Array {
  const values: Int8Array[] = [Int8Array.from(pixels, (grey) => grey - 128)];
  layers.forEach((quantized, index) => {
    const { layer } = quantized;
    const inputs = layer.reads.map((read) => ({ q: values[read]!, ...scales[read]! }));
    const output = scales[index + 1]!;
    values.push(layer.kind === 'add' ? add(layer, inputs, output) : linear(quantized, inputs[0]!, output));
  });
  return values[network.layers.length]!;
}

type Input = Scale & { readonly q: Int8Array };

function linear(
  { layer, weights, weightScales, bias }: QuantizedLayer,
  input: Input,
  output: Scale,
): Int8Array {
  const centred = Int32Array.from(input.q, (q) => q - input.zeroPoint);
  const sums = new Int32Array(sizeOf(layer.output));
  for (let i = 0; i < sums.length; i += bias.length) sums.set(bias, i);
  accumulate(layer, weights, centred, sums);
  const multipliers = weightScales.map((weightScale) => {
    // A dense layer multiplies the two scales in float32, a convolution in double.
    const product = input.scale * weightScale;
    return quantizeMultiplier((layer.kind === 'dense' ? Math.fround(product) : product) / output.scale);
  });
  return store(layer, output, sums, (sum, i) => requantize(sum, multipliers[i % multipliers.length]!));
}

function add(layer: Layer, inputs: readonly Input[], output: Scale): Int8Array {
  const HEADROOM = 2 ** 20;
  const twice = 2 * Math.max(...inputs.map(({ scale }) => scale));
  const terms = inputs.map((input) => ({ ...input, multiplier: quantizeMultiplier(input.scale / twice) }));
  const multiplier = quantizeMultiplier(twice / (HEADROOM * output.scale));
  return store(layer, output, new Int32Array(sizeOf(layer.output)), (_, i) => {
    let sum = 0;
    for (const { q, zeroPoint, multiplier } of terms)
      sum += requantize((q[i]! - zeroPoint) * HEADROOM, multiplier);
    return requantize(sum, multiplier);
  });
}

/** Moves each rescaled sum to the zero point and clamps it to the range of the activation. */
function store(
  layer: Layer,
  output: Scale,
  sums: Int32Array,
  rescale: (sum: number, i: number) => number,
): Int8Array {
  const lowest = layer.activation === 'NONE' ? -128 : Math.max(-128, output.zeroPoint);
  const ceiling = Math.round(Math.fround(CEILING[layer.activation] / output.scale));
  const highest = Math.min(127, output.zeroPoint + ceiling);
  return Int8Array.from(sums, (sum, i) => clamp(rescale(sum, i) + output.zeroPoint, lowest, highest));
}
