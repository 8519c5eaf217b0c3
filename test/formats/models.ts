import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TfliteModel, TfliteTensor } from '../../src/formats/tflite/model.ts';

const FOLDER = join(import.meta.dirname, '../../../shared/models');

/** Models of other people that some checkouts have beside them. */
export const REAL_MODELS = [
  'mlperf_kws_int8.tflite',
  'mlperf_resnet8_int8.tflite',
  'mlperf_ad_int8.tflite',
  'mlperf_vww_96_int8.tflite',
  'detection.tflite',
  'vww.tflite',
  'mcunetv2_large.tflite',
];
export const hasRealModels = existsSync(FOLDER);

export function realModel(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(FOLDER, name)));
}

const tensor = (name: string, shape: number[], more: Partial<TfliteTensor> = {}): TfliteTensor => ({
  name,
  shape,
  type: 'INT8',
  buffer: 0,
  isVariable: false,
  quantization: { scale: [0.5], zeroPoint: [-128], quantizedDimension: 0, details: 'NONE' },
  sparse: false,
  ...more,
});

/** A small model that uses every part of the format once. */
export function smallModel(): TfliteModel {
  const int32 = { type: 'INT32' } as const;
  const scale = [0.25, 0.125, Math.fround(0.1)];
  return {
    version: 3,
    description: 'a small model, née synthetic',
    operatorCodes: [
      { builtin: 3, name: 'CONV_2D', version: 3 },
      { builtin: 22, name: 'RESHAPE', version: 1 },
      { builtin: 25, name: 'SOFTMAX', version: 2 },
      { builtin: 150, name: 'GELU', version: 1 },
      { builtin: 32, name: 'CUSTOM', custom: 'Twist', version: 1 },
      { builtin: 142, name: 'VAR_HANDLE', version: 1 },
    ],
    subgraphs: [
      {
        name: 'main',
        tensors: [
          tensor('image', [1, 4, 4, 2], { shapeSignature: [-1, 4, 4, 2] }),
          tensor('weights', [3, 3, 3, 2], {
            buffer: 1,
            quantization: { scale, zeroPoint: [0, 0, 0], quantizedDimension: 0, details: 'NONE' },
          }),
          tensor('bias', [3], {
            ...int32,
            buffer: 2,
            quantization: { scale, zeroPoint: [0], quantizedDimension: 0, details: 'NONE' },
          }),
          tensor('features', [1, 2, 2, 3]),
          tensor('flat', [1, 12]),
          tensor('probabilities', [1, 12]),
          tensor('state', [1, 12], { isVariable: true }),
          tensor('handle', [], { type: 'RESOURCE' }),
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
              padding: 'VALID',
              strideW: 2,
              strideH: 1,
              activation: 'RELU6',
              dilationW: 1,
              dilationH: 3,
              quantizedBiasType: 'INT32',
            },
          },
          {
            name: 'RESHAPE',
            opcode: 1,
            inputs: [3, -1],
            outputs: [4],
            intermediates: [],
            options: { newShape: [-1, 12] },
          },
          {
            name: 'GELU',
            opcode: 3,
            inputs: [4],
            outputs: [6],
            intermediates: [4, -1],
            options: { approximate: true },
          },
          {
            name: 'CUSTOM',
            opcode: 4,
            inputs: [6],
            outputs: [4],
            intermediates: [],
            options: {},
            customOptions: Uint8Array.of(1, 2, 3),
          },
          {
            name: 'VAR_HANDLE',
            opcode: 5,
            inputs: [],
            outputs: [7],
            intermediates: [],
            options: { container: '', sharedName: 'memory' },
          },
          { name: 'SOFTMAX', opcode: 2, inputs: [4], outputs: [5], intermediates: [], options: { beta: 0 } },
        ],
      },
      { name: 'empty', tensors: [], inputs: [], outputs: [], operators: [] },
    ],
    buffers: [
      new Uint8Array(0),
      Uint8Array.from({ length: 54 }, (_, i) => i),
      new Uint8Array(12).fill(7),
      new TextEncoder().encode('1.14.0'),
    ],
    metadata: [{ name: 'min_runtime_version', buffer: 3 }],
    signatures: [
      {
        key: 'serving_default',
        subgraph: 0,
        inputs: [{ name: 'x', tensor: 0 }],
        outputs: [{ name: 'y', tensor: 5 }],
      },
    ],
  };
}
