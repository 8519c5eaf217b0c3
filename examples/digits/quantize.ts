import { clamp, roundHalfAway } from '../../src/core/fixedpoint.ts';
import { type Digit, toUnit } from './data.ts';
import type { FloatNetwork } from './floats.ts';
import type { Layer, Network } from './network.ts';

/** real = scale * (q - zeroPoint), q in int8; scale is a float32 value. */
export interface Scale {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** int8 weights in the float layout with zero point 0 and a scale per output channel; int32 biases. */
export interface QuantizedLayer {
  readonly layer: Layer;
  readonly weights: Int8Array;
  /** One per output channel; just one for a dense layer, whose other forms older TFLite runtimes refuse. */
  readonly weightScales: readonly number[];
  /** In units of input scale x weight scale. */
  readonly bias: Int32Array;
}

export interface QuantizedNetwork {
  readonly network: Network;
  readonly layers: readonly QuantizedLayer[];
  /** By value: 0 is the picture, i + 1 the output of layer i. */
  readonly scales: readonly Scale[];
}

/** Grey value g is int8 g - 128: real 0 (paper) to 1 (ink). */
const PICTURE_SCALE: Scale = { scale: Math.fround(1 / 255), zeroPoint: -128 };

/** Post-training quantisation: the range of every activation is the one seen on `digits`. */
export function quantize(net: FloatNetwork, digits: readonly Digit[]): QuantizedNetwork {
  const ranges = measureRanges(net, digits);
  const scales = [PICTURE_SCALE, ...ranges.slice(1).map(scaleOf)];
  const layers = net.network.layers.map((layer, index) => {
    const inputScale = scales[layer.reads[0]!]!.scale;
    return quantizeLayer(layer, net.weights[index]!.value, net.biases[index]!.value, inputScale);
  });
  return { network: net.network, layers, scales };
}

interface Range {
  min: number;
  max: number;
}

/** The range of every value; each holds 0, which padding and activations need to be exact. */
function measureRanges(net: FloatNetwork, digits: readonly Digit[]): Range[] {
  const ranges = net.values.map((): Range => ({ min: 0, max: 0 }));
  for (const { pixels } of digits) {
    net.forward(toUnit(pixels));
    ranges.forEach((range, value) => {
      for (const x of net.values[value]!.value) {
        if (x < range.min) range.min = x;
        if (x > range.max) range.max = x;
      }
    });
  }
  return ranges;
}

function scaleOf({ min, max }: Range): Scale {
  const scale = Math.fround((max - min) / 255);
  return { scale, zeroPoint: clamp(roundHalfAway(-128 - min / scale), -128, 127) };
}

function quantizeLayer(
  layer: Layer,
  weights: Float32Array,
  bias: Float32Array,
  inputScale: number,
): QuantizedLayer {
  const groups = layer.kind === 'dense' ? 1 : bias.length;
  const groupOf = (weight: number) => {
    if (layer.kind === 'dense') return 0;
    return layer.kind === 'depthwise' ? weight % groups : Math.floor(weight / layer.weightsPerChannel);
  };
  const largest = new Array<number>(groups).fill(0);
  weights.forEach((w, i) => {
    largest[groupOf(i)] = Math.max(largest[groupOf(i)]!, Math.abs(w));
  });
  const weightScales = largest.map((w) => Math.fround(w / 127));
  return {
    layer,
    weights: Int8Array.from(weights, (w, i) =>
      clamp(roundHalfAway(w / weightScales[groupOf(i)]!), -127, 127),
    ),
    weightScales,
    bias: Int32Array.from(bias, (b, c) => roundHalfAway(b / (inputScale * weightScales[c % groups]!))),
  };
}
