/** Networks of the zoo as int8 TFLite models. */
import { fail } from '../core/diagnostics.ts';
import { clamp, roundHalfAway } from '../core/fixedpoint.ts';
import type { TfliteModel } from '../formats/tflite/model.ts';
import { Assembler, type Operation } from './assembler.ts';
import { type CalibratedLayer, calibrate } from './calibrate.ts';
import { IMAGE, inputShape, type Shape, samePadding } from './layers.ts';
import { ZOO, type ZooNetwork } from './networks.ts';

/** @throws RivuletError RV3001 if there is no network of that name */
export function findNetwork(name: string): ZooNetwork {
  return (
    ZOO.find((network) => network.name === name) ??
    fail('RV3001', `there is no network "${name}"`, {
      origin: 'NAME',
      hint: `one of ${ZOO.map((network) => network.name).join(', ')}`,
    })
  );
}

/**
 * A published network with seeded weights, int8 as a converter would write it: image [1, r, r, 3] in, logits [1, classes]
 * out, weights per channel (of the classifier per tensor), biases int32. Equal names and seeds give equal models.
 * The weights are not trained: the network computes as much as the published one, and recognises nothing.
 * @param name one of `ZOO`
 * @param seed of the weights, an integer; its lowest 32 bits count
 * @throws RivuletError RV3001 if there is no network of that name
 */
export function zooModel(name: string, seed = 1): TfliteModel {
  const network = findNetwork(name);
  const { description, resolution } = network;
  const text = `${description}, ${resolution} x ${resolution}, weights from seed ${seed}`;
  return modelOf(text, inputShape(network), calibrate(network, seed));
}

/**
 * Layers with their weights as a model; see `zooModel`. The last one gives its output.
 * @param shape of what the layers read by the index `IMAGE`
 * @param range of its real values
 */
export function modelOf(
  description: string,
  shape: Shape,
  layers: readonly CalibratedLayer[],
  range: readonly [number, number] = [-1, 1],
): TfliteModel {
  const { scale, zeroPoint } = quantizationOf(range);
  const assembler = new Assembler();
  const image = addResult(assembler, 'image', shape, scale, zeroPoint);
  const results: Result[] = [];
  for (const layer of layers) {
    const inputs = layer.inputs.map((index) => (index === IMAGE ? image : results[index]!));
    results.push(addLayer(assembler, layer, inputs));
  }
  return assembler.model(description, image.tensor, results.at(-1)!.tensor);
}

/** What a layer gives, and the tensor that holds it. */
interface Result {
  readonly tensor: number;
  readonly shape: Shape;
  readonly scale: number;
  readonly zeroPoint: number;
}

function addResult(
  assembler: Assembler,
  name: string,
  shape: Shape,
  scale: number,
  zeroPoint: number,
  isVector = false,
): Result {
  const dimensions = isVector ? [1, shape[2]] : [1, ...shape];
  const rounded = Math.fround(scale);
  return {
    tensor: assembler.activation(name, dimensions, rounded, zeroPoint),
    shape,
    scale: rounded,
    zeroPoint,
  };
}

function addLayer(assembler: Assembler, layer: CalibratedLayer, inputs: readonly Result[]): Result {
  const [first, ...others] = inputs as readonly [Result, ...Result[]];
  const isConvolution = layer.op === 'conv' || layer.op === 'depthwise';
  const x = isConvolution ? padded(assembler, layer, first) : first;
  const constants = addConstants(assembler, layer, x);
  const { scale, zeroPoint } = quantizationOf(layer.range);
  const isVector = layer.op === 'mean' || layer.op === 'dense';
  const result = addResult(assembler, layer.name, layer.shape, scale, zeroPoint, isVector);
  const operands = [x, ...others].map(({ tensor }) => tensor);
  const operation = operationOf(layer, x === first ? 'SAME' : 'VALID');
  assembler.operator(operation, [...operands, ...constants], [result.tensor]);
  return result;
}

function operationOf({ op, stride, relu6 }: CalibratedLayer, padding: 'SAME' | 'VALID'): Operation {
  const steps = { strideH: stride, strideW: stride, dilationH: 1, dilationW: 1 };
  const activation = relu6 ? 'RELU6' : 'NONE';
  // The type of biases is read only where activations have 16 bits; this is the schema's default.
  const quantizedBiasType = 'FLOAT32';
  switch (op) {
    case 'conv':
      return { name: 'CONV_2D', options: { ...steps, padding, activation, quantizedBiasType } };
    case 'depthwise':
      return { name: 'DEPTHWISE_CONV_2D', options: { ...steps, padding, activation, depthMultiplier: 1 } };
    case 'add':
      return { name: 'ADD', options: { activation, potScaleInt16: true } };
    case 'mean':
      return { name: 'MEAN', options: { keepDims: false } };
    case 'dense': {
      const flags = { keepNumDims: false, asymmetricQuantizeInputs: false };
      return {
        name: 'FULLY_CONNECTED',
        options: { ...flags, activation, weightsFormat: 'DEFAULT', quantizedBiasType },
      };
    }
  }
}

/** `x` itself where SAME means the padding of the layer, else the result of a PAD, as converters of PyTorch write it. */
function padded(assembler: Assembler, { name, kernel, stride, padding }: CalibratedLayer, x: Result): Result {
  const [height, width, channels] = x.shape;
  const same = samePadding(height, kernel, stride);
  if (same[0] === padding[0] && same[1] === padding[1]) return x;
  const added = padding[0] + padding[1];
  const amounts = assembler.constant(
    `${name}/paddings`,
    [4, 2],
    Int32Array.of(0, 0, ...padding, ...padding, 0, 0),
  );
  const shape = [height + added, width + added, channels] as const;
  const result = addResult(assembler, `${name}/pad`, shape, x.scale, x.zeroPoint);
  assembler.operator({ name: 'PAD', options: {} }, [x.tensor, amounts], [result.tensor]);
  return result;
}

/** The constant operands of a layer: quantised weights and biases, or the axes of the mean. */
function addConstants(assembler: Assembler, layer: CalibratedLayer, x: Result): number[] {
  const { name, op, kernel, weights, biases } = layer;
  if (op === 'add') return [];
  if (op === 'mean') return [assembler.constant(`${name}/axes`, [2], Int32Array.of(1, 2))];
  const channels = layer.shape[2];
  const [depth, filter] = [x.shape[2], weights.length / channels];
  const channelOf = (i: number) =>
    op === 'conv' ? Math.floor(i / filter) : op === 'depthwise' ? i % channels : 0;

  const largest = new Float64Array(op === 'dense' ? 1 : channels);
  for (let i = 0; i < weights.length; ++i) {
    const c = channelOf(i);
    largest[c] = Math.max(largest[c]!, Math.abs(weights[i]!));
  }
  const scales = Array.from(largest, (w) => Math.fround(w / 127));
  const shapes = {
    conv: [channels, kernel, kernel, depth],
    depthwise: [1, kernel, kernel, channels],
    dense: [channels, depth],
  };
  const quantized = new Int8Array(weights.length);
  for (let i = 0; i < weights.length; ++i) {
    quantized[i] = clamp(roundHalfAway(weights[i]! / scales[channelOf(i)]!), -127, 127);
  }
  const biasScales = scales.map((scale) => Math.fround(scale * x.scale));
  const quantizedBiases = Int32Array.from(biases, (b, c) =>
    roundHalfAway(b / (biasScales[c] ?? biasScales[0]!)),
  );
  const axis = op === 'depthwise' ? 3 : 0;
  return [
    assembler.constant(`${name}/weights`, shapes[op], quantized, { scales, axis }),
    assembler.constant(`${name}/biases`, [channels], quantizedBiases, { scales: biasScales, axis: 0 }),
  ];
}

/** int8 parameters that cover a range around 0, which is a value of its own: padding needs it. */
function quantizationOf([least, most]: readonly [number, number]): { scale: number; zeroPoint: number } {
  const scale = (most - least) / 255;
  return { scale, zeroPoint: clamp(roundHalfAway(-128 - least / scale), -128, 127) };
}
