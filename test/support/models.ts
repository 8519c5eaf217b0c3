/** Small models as .tflite files, made on the spot so that tests need no files of others. */
import { createRandom } from '../../src/core/random.ts';
import type { TfliteModel, TfliteTensor } from '../../src/formats/tflite/model.ts';
import { writeTflite } from '../../src/formats/tflite/writer.ts';

/** Input [1, 8, 8, 3] whose range is [0, 1]: pixel p of a picture is the raw value p - 128. */
export const INPUT_SCALE = Math.fround(1 / 255);

const quantized = (scale: readonly number[], zeroPoint: readonly number[]) => ({
  quantization: { scale, zeroPoint, quantizedDimension: 0, details: 'NONE' as const },
});

const tensor = (name: string, shape: number[], more: Partial<TfliteTensor>): TfliteTensor => ({
  name,
  shape,
  type: 'INT8',
  buffer: 0,
  isVariable: false,
  sparse: false,
  ...more,
});

/** CONV_2D 3x3 stride 2 with ReLU, then FULLY_CONNECTED: for size 8 [1, 8, 8, 3] -> [1, 4, 4, 4] -> [1, 5]. */
export function tinyModel(size = 8): TfliteModel {
  const random = createRandom(7);
  const weights = (count: number) => Uint8Array.from({ length: count }, () => Math.floor(random() * 256));
  const convScales = [0.01, 0.02, 0.015, 0.008].map(Math.fround);
  const fcScale = Math.fround(0.01);
  const outputScale = Math.fround(0.05);
  return {
    version: 3,
    description: 'tiny',
    operatorCodes: [
      { builtin: 3, name: 'CONV_2D', version: 3 },
      { builtin: 9, name: 'FULLY_CONNECTED', version: 4 },
    ],
    subgraphs: [
      {
        name: 'main',
        tensors: [
          tensor('image', [1, size, size, 3], quantized([INPUT_SCALE], [-128])),
          tensor('conv/weights', [4, 3, 3, 3], { buffer: 1, ...quantized(convScales, [0, 0, 0, 0]) }),
          tensor('conv/bias', [4], {
            type: 'INT32',
            buffer: 2,
            ...quantized(
              convScales.map((s) => Math.fround(s * INPUT_SCALE)),
              [0, 0, 0, 0],
            ),
          }),
          tensor('conv', [1, size / 2, size / 2, 4], quantized([outputScale], [-128])),
          tensor('dense/weights', [5, size * size], { buffer: 3, ...quantized([fcScale], [0]) }),
          tensor('dense', [1, 5], quantized([Math.fround(0.2)], [3])),
          tensor('dense/bias', [5], {
            type: 'INT32',
            buffer: 4,
            ...quantized([Math.fround(fcScale * outputScale)], [0]),
          }),
        ],
        inputs: [0],
        outputs: [5],
        operators: [
          {
            name: 'CONV_2D',
            opcode: 0,
            inputs: [0, 1, 2],
            outputs: [3],
            intermediates: [],
            options: {
              padding: 'SAME',
              strideW: 2,
              strideH: 2,
              activation: 'RELU',
              dilationW: 1,
              dilationH: 1,
              quantizedBiasType: 'FLOAT32',
            },
          },
          {
            name: 'FULLY_CONNECTED',
            opcode: 1,
            inputs: [3, 4, 6],
            outputs: [5],
            intermediates: [],
            options: {
              activation: 'NONE',
              weightsFormat: 'DEFAULT',
              keepNumDims: false,
              asymmetricQuantizeInputs: false,
              quantizedBiasType: 'FLOAT32',
            },
          },
        ],
      },
    ],
    buffers: [
      new Uint8Array(),
      weights(108),
      new Uint8Array(16),
      weights(5 * size * size),
      new Uint8Array(20),
    ],
    metadata: [],
    signatures: [],
  };
}

export function tinyModelFile(size = 8): Uint8Array {
  return writeTflite(tinyModel(size));
}

/** Twice as many channels in the middle, the upper four of which are 0 whatever the input is. */
export function constantChannelsFile(): Uint8Array {
  const model = tinyModel();
  const [main] = model.subgraphs;
  const scales = [0.01, 0.02, 0.015, 0.008, 0.01, 0.01, 0.01, 0.01].map(Math.fround);
  const shapes: Readonly<Record<string, Partial<TfliteTensor>>> = {
    'conv/weights': {
      shape: [8, 3, 3, 3],
      ...quantized(
        scales,
        scales.map(() => 0),
      ),
    },
    'conv/bias': {
      shape: [8],
      ...quantized(
        scales.map((s) => Math.fround(s * INPUT_SCALE)),
        scales.map(() => 0),
      ),
    },
    conv: { shape: [1, 4, 4, 8] },
    'dense/weights': { shape: [5, 128] },
  };
  const [none, filter, , dense, bias] = model.buffers;
  const wider = new Uint8Array(216);
  wider.set(filter!);
  return writeTflite({
    ...model,
    subgraphs: [{ ...main!, tensors: main!.tensors.map((t) => ({ ...t, ...shapes[t.name] })) }],
    buffers: [none!, wider, new Uint8Array(32), new Uint8Array([...dense!, ...dense!.toReversed()]), bias!],
  });
}

/** The tiny model with two operators behind it that Rivulet does not have. */
export function unsupportedModelFile(): Uint8Array {
  const model = tinyModel();
  const [main] = model.subgraphs;
  const like = quantized([Math.fround(0.2)], [3]);
  const base = { intermediates: [] };
  return writeTflite({
    ...model,
    operatorCodes: [
      ...model.operatorCodes,
      { builtin: 150, name: 'GELU', version: 1 },
      { builtin: 32, name: 'CUSTOM', custom: 'Twist', version: 1 },
    ],
    subgraphs: [
      {
        ...main!,
        tensors: [...main!.tensors, tensor('gelu', [1, 5], like), tensor('twist', [1, 5], like)],
        outputs: [8],
        operators: [
          ...main!.operators,
          { ...base, name: 'GELU', opcode: 2, inputs: [5], outputs: [7], options: { approximate: true } },
          { ...base, name: 'CUSTOM', opcode: 3, inputs: [6], outputs: [8], options: {} },
        ],
      },
    ],
  });
}
