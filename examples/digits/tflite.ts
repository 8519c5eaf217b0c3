import type {
  TfliteModel,
  TfliteOperator,
  TfliteOperatorCode,
  TfliteOperatorOf,
  TfliteQuantization,
  TfliteTensor,
} from '../../src/formats/tflite/model.ts';
import { OPS, SCHEMA_VERSION } from '../../src/formats/tflite/schema.ts';
import type { Plane } from './network.ts';
import type { QuantizedLayer, QuantizedNetwork, Scale } from './quantize.ts';

/** What the runtime's version table demands of each operator for int8 tensors. */
const OP_VERSIONS = {
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 3,
  ADD: 2,
  RESHAPE: 1,
  FULLY_CONNECTED: 4,
  SOFTMAX: 2,
} as const;
type UsedOp = keyof typeof OP_VERSIONS;
const USED_OPS = Object.keys(OP_VERSIONS) as UsedOp[];

/** TFLite fixes the output of an int8 softmax: 0 to 255/256. */
const PROBABILITY_SCALE: Scale = { scale: 1 / 256, zeroPoint: -128 };

/** The network, with a softmax at its end, as a TFLite model from int8 pictures [1, h, w, c] to int8 probabilities [1, n]. */
export function toTflite({ network, layers, scales }: QuantizedNetwork, description: string): TfliteModel {
  const graph = new GraphWriter();
  const input = graph.activation('picture', planeShape(network.input), scales[0]!);
  const values = [input];
  layers.forEach((quantized, index) => {
    const inputs = quantized.layer.reads.map((read) => values[read]!);
    values.push(writeLayer(graph, quantized, inputs, scales[quantized.layer.reads[0]!]!, scales[index + 1]!));
  });
  const classes = layers.at(-1)!.layer.output.channels;
  const output = graph.activation('probabilities', [1, classes], PROBABILITY_SCALE);
  graph.operator('SOFTMAX', [values.at(-1)!], output, { beta: 1 });
  return graph.model(description, input, output);
}

const planeShape = ({ height, width, channels }: Plane) => [1, height, width, channels];

/** @returns the tensor that the layer's operator writes. */
function writeLayer(
  graph: GraphWriter,
  { layer, weights, weightScales, bias }: QuantizedLayer,
  inputs: readonly number[],
  inputScale: Scale,
  outputScale: Scale,
): number {
  const { name, kind, kernel, stride, activation, input, output } = layer;
  const withParameters = (shape: readonly number[], channelDimension: number) => [
    inputs[0]!,
    graph.constant(`${name}/weights`, 'INT8', shape, weights, symmetric(weightScales, channelDimension)),
    graph.constant(
      `${name}/bias`,
      'INT32',
      [bias.length],
      bias,
      symmetric(
        weightScales.map((scale) => Math.fround(scale * inputScale.scale)),
        0,
      ),
    ),
  ];
  const window = {
    padding: 'SAME',
    strideW: stride,
    strideH: stride,
    activation,
    dilationW: 1,
    dilationH: 1,
  } as const;
  switch (kind) {
    case 'conv': {
      const target = graph.activation(name, planeShape(output), outputScale);
      const operands = withParameters([output.channels, kernel, kernel, input.channels], 0);
      return graph.operator('CONV_2D', operands, target, { ...window, quantizedBiasType: 'FLOAT32' });
    }
    case 'depthwise': {
      const target = graph.activation(name, planeShape(output), outputScale);
      const operands = withParameters([1, kernel, kernel, output.channels], 3);
      return graph.operator('DEPTHWISE_CONV_2D', operands, target, { ...window, depthMultiplier: 1 });
    }
    case 'add': {
      const target = graph.activation(name, planeShape(output), outputScale);
      return graph.operator('ADD', inputs, target, { activation, potScaleInt16: true });
    }
    case 'dense': {
      const [, ...operands] = withParameters([output.channels, layer.weightsPerChannel], 0);
      const flatShape = [1, layer.weightsPerChannel];
      const flat = graph.activation(`${name}/flat`, flatShape, inputScale);
      const shape = graph.constant(`${name}/shape`, 'INT32', [2], Int32Array.from(flatShape));
      graph.operator('RESHAPE', [inputs[0]!, shape], flat, { newShape: flatShape });
      const target = graph.activation(name, [1, output.channels], outputScale);
      return graph.operator('FULLY_CONNECTED', [flat, ...operands], target, {
        activation,
        weightsFormat: 'DEFAULT',
        keepNumDims: false,
        asymmetricQuantizeInputs: false,
        quantizedBiasType: 'FLOAT32',
      });
    }
  }
}

function symmetric(scale: readonly number[], quantizedDimension: number): TfliteQuantization {
  return { scale, zeroPoint: scale.map(() => 0), quantizedDimension, details: 'NONE' };
}

/** Collects tensors, buffers and operators in the order they are written; tensors are referred to by index. */
class GraphWriter {
  readonly #tensors: TfliteTensor[] = [];
  /** Buffer 0 is empty: that of all activations. */
  readonly #buffers: Uint8Array[] = [new Uint8Array()];
  readonly #operators: TfliteOperator[] = [];

  activation(name: string, shape: readonly number[], { scale, zeroPoint }: Scale): number {
    const quantization = {
      scale: [scale],
      zeroPoint: [zeroPoint],
      quantizedDimension: 0,
      details: 'NONE',
    } as const;
    const tensor = {
      name,
      shape,
      type: 'INT8',
      buffer: 0,
      isVariable: false,
      sparse: false,
      quantization,
    } as const;
    return this.#tensors.push(tensor) - 1;
  }

  constant(
    name: string,
    type: 'INT8' | 'INT32',
    shape: readonly number[],
    data: Int8Array | Int32Array,
    quantization?: TfliteQuantization,
  ): number {
    const buffer = this.#buffers.push(littleEndian(data)) - 1;
    const tensor = { name, shape, type, buffer, isVariable: false, sparse: false };
    return this.#tensors.push(quantization === undefined ? tensor : { ...tensor, quantization }) - 1;
  }

  /** @returns `output`, the tensor it writes. */
  operator<Name extends UsedOp>(
    name: Name,
    inputs: readonly number[],
    output: number,
    options: TfliteOperatorOf<Name>['options'],
  ): number {
    const operator = {
      name,
      opcode: USED_OPS.indexOf(name),
      inputs,
      outputs: [output],
      intermediates: [],
      options,
    };
    this.#operators.push(operator as TfliteOperator);
    return output;
  }

  model(description: string, input: number, output: number): TfliteModel {
    const operatorCodes = USED_OPS.map(
      (name): TfliteOperatorCode => ({ builtin: OPS[name].code, name, version: OP_VERSIONS[name] }),
    );
    const named = (tensor: number) => [{ name: this.#tensors[tensor]!.name, tensor }];
    return {
      version: SCHEMA_VERSION,
      description,
      operatorCodes,
      subgraphs: [
        {
          name: 'main',
          tensors: this.#tensors,
          inputs: [input],
          outputs: [output],
          operators: this.#operators,
        },
      ],
      buffers: this.#buffers,
      metadata: [],
      signatures: [{ key: 'serving_default', subgraph: 0, inputs: named(input), outputs: named(output) }],
    };
  }
}

function littleEndian(data: Int8Array | Int32Array): Uint8Array {
  const bytes = new Uint8Array(data.byteLength);
  const view = new DataView(bytes.buffer);
  data.forEach((value, i) => {
    if (data instanceof Int8Array) view.setInt8(i, value);
    else view.setInt32(4 * i, value, true);
  });
  return bytes;
}
