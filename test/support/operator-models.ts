/** A valid one- or few-operator model for every operator that can be imported: what fuzzing starts from. */
import type { TfliteModel } from '../../src/formats/tflite/model.ts';
import type { OpName } from '../../src/formats/tflite/schema.ts';
import { ModelBuilder, oneOperator } from './tflite-models.ts';

const SAME_STRIDE_1 = { padding: 'SAME', strideW: 1, strideH: 1 } as const;
const VALID_STRIDE_2 = { padding: 'VALID', strideW: 2, strideH: 2 } as const;
const IMAGE = [1, 4, 4, 2];

/** By a name that says what is special. */
export const OPERATOR_MODELS: ReadonlyMap<string, TfliteModel> = new Map(
  Object.entries({
    conv2d: oneOperator('CONV_2D', {
      y: [1, 4, 4, 3],
      yOptions: { scale: 40 },
      rest: (b) => [b.weights([3, 3, 3, 2], { scale: [0.25, 0.125, 0.5] }), b.numbers([10, -20, 30])],
      options: { ...SAME_STRIDE_1, activation: 'RELU6' },
    }),
    grouped: oneOperator('CONV_2D', {
      y: [1, 2, 2, 4],
      yOptions: { scale: 20 },
      rest: (b) => [b.weights([4, 1, 1, 1])],
      options: VALID_STRIDE_2,
    }),
    depthwise: oneOperator('DEPTHWISE_CONV_2D', {
      y: [1, 2, 2, 4],
      yOptions: { scale: 20 },
      rest: (b) => [b.weights([1, 3, 3, 4], { scale: [1, 2, 3, 4], axis: 3 }), b.numbers([1, 2, 3, 4])],
      options: { padding: 'SAME', strideW: 2, strideH: 2, depthMultiplier: 2 },
    }),
    transposeConv: transposeConv(),
    fullyConnected: oneOperator('FULLY_CONNECTED', {
      x: [2, 8],
      y: [2, 3],
      yOptions: { scale: 30 },
      rest: (b) => [b.weights([3, 8]), b.numbers([5, 6, 7])],
    }),
    averagePool: oneOperator('AVERAGE_POOL_2D', {
      y: [1, 4, 4, 2],
      options: { ...SAME_STRIDE_1, filterWidth: 3, filterHeight: 2 },
    }),
    maxPool: oneOperator('MAX_POOL_2D', {
      y: [1, 2, 2, 2],
      options: { ...VALID_STRIDE_2, filterWidth: 2, filterHeight: 2 },
    }),
    mean: oneOperator('MEAN', { y: [1, 2], rest: (b) => [b.numbers([1, 2])], options: { keepDims: false } }),
    meanOverRows: oneOperator('MEAN', {
      y: [1, 1, 4, 1],
      rest: (b) => [b.numbers([1, 3])],
      options: { keepDims: true },
    }),
    softmax: oneOperator('SOFTMAX', { x: [2, 5], y: [2, 5], yOptions: { scale: 1 / 256, zeroPoint: -128 } }),
    add: twoInputs('ADD', [1, 4, 1, 2]),
    sub: twoInputs('SUB', IMAGE),
    mul: twoInputs('MUL', [2]),
    maximum: twoInputs('MAXIMUM', IMAGE),
    minimum: twoInputs('MINIMUM', [1]),
    addConstant: oneOperator('ADD', {
      y: IMAGE,
      rest: (b) => [b.weights([4, 1])],
      options: { activation: 'RELU' },
    }),
    prelu: oneOperator('PRELU', { y: IMAGE, rest: (b) => [b.weights([1, 1, 2])] }),
    relu: oneOperator('RELU', { y: IMAGE, yOptions: { scale: 0.25, zeroPoint: -100 } }),
    relu6: oneOperator('RELU6', { y: IMAGE, yOptions: { scale: 0.03, zeroPoint: -128 } }),
    reluN1To1: oneOperator('RELU_N1_TO_1', { y: IMAGE, yOptions: { scale: 0.01 } }),
    leakyRelu: oneOperator('LEAKY_RELU', { y: IMAGE, options: { alpha: 0.125 } }),
    hardSwish: oneOperator('HARD_SWISH', { y: IMAGE, xOptions: { scale: 0.05 } }),
    logistic: oneOperator('LOGISTIC', { y: IMAGE, yOptions: { scale: 1 / 256, zeroPoint: -128 } }),
    tanh: oneOperator('TANH', { y: IMAGE, xOptions: { scale: 0.05 }, yOptions: { scale: 1 / 128 } }),
    quantize: oneOperator('QUANTIZE', { y: IMAGE, yOptions: { type: 'UINT8', zeroPoint: 128 } }),
    dequantize: oneOperator('DEQUANTIZE', { y: IMAGE, yOptions: { type: 'FLOAT32', scale: null } }),
    pad: oneOperator('PAD', { y: [1, 6, 7, 2], rest: (b) => [b.numbers([0, 0, 1, 1, 1, 2, 0, 0], [4, 2])] }),
    padV2: oneOperator('PADV2', {
      y: [1, 4, 5, 2],
      rest: (b) => [b.numbers([0, 0, 0, 0, 0, 1, 0, 0], [4, 2]), b.tensor([], { data: Int8Array.of(-7) })],
    }),
    reshape: oneOperator('RESHAPE', {
      y: [2, 16],
      rest: (b) => [b.numbers([2, 16])],
      options: { newShape: [2, 16] },
    }),
    squeeze: oneOperator('SQUEEZE', { y: [4, 4, 2], options: { squeezeDims: [0] } }),
    expandDims: oneOperator('EXPAND_DIMS', { y: [1, 1, 4, 4, 2], rest: (b) => [b.numbers([0], [])] }),
    transpose: oneOperator('TRANSPOSE', { y: [1, 2, 4, 4], rest: (b) => [b.numbers([0, 3, 1, 2])] }),
    concatenation: concatenation(),
    slice: oneOperator('SLICE', {
      y: [1, 2, 3, 2],
      rest: (b) => [b.numbers([0, 1, 1, 0]), b.numbers([1, 2, 3, -1])],
    }),
    stridedSlice: oneOperator('STRIDED_SLICE', {
      y: [2, 4, 1],
      rest: (b) => [b.numbers([0, 0, 3, 1]), b.numbers([1, 4, -5, 2]), b.numbers([1, 2, -1, 1])],
      options: { shrinkAxisMask: 1, endMask: 2 },
    }),
    split: split('SPLIT'),
    splitV: split('SPLIT_V'),
    resizeNearest: oneOperator('RESIZE_NEAREST_NEIGHBOR', {
      y: [1, 8, 6, 2],
      rest: (b) => [b.numbers([8, 6])],
      options: { halfPixelCenters: true },
    }),
    resizeBilinear: oneOperator('RESIZE_BILINEAR', {
      y: [1, 7, 5, 2],
      rest: (b) => [b.numbers([7, 5])],
      options: { alignCorners: true },
    }),
    network: network(),
    constants: constants(),
  }),
);

function twoInputs(
  name: 'ADD' | 'SUB' | 'MUL' | 'MAXIMUM' | 'MINIMUM',
  second: readonly number[],
): TfliteModel {
  const builder = new ModelBuilder();
  const [a, b, y] = [builder.tensor(IMAGE), builder.tensor(second), builder.tensor(IMAGE)];
  return builder.operator(name, [a, b], [y]).model([a, b], [y]);
}

function transposeConv(): TfliteModel {
  const b = new ModelBuilder();
  const [shape, weights, x] = [b.numbers([1, 8, 8, 3]), b.weights([3, 2, 2, 2]), b.tensor(IMAGE)];
  const y = b.tensor([1, 8, 8, 3], { scale: 20 });
  const options = { padding: 'SAME', strideW: 2, strideH: 2 } as const;
  return b
    .operator('TRANSPOSE_CONV', [shape, weights, x, b.numbers([1, 2, 3])], [y], options)
    .model([x], [y]);
}

function concatenation(): TfliteModel {
  const b = new ModelBuilder();
  const [left, right, y] = [b.tensor(IMAGE), b.tensor([1, 4, 4, 1], { scale: 0.25 }), b.tensor([1, 4, 4, 3])];
  return b.operator('CONCATENATION', [left, right], [y], { axis: -1 }).model([left, right], [y]);
}

function split(name: 'SPLIT' | 'SPLIT_V'): TfliteModel {
  const b = new ModelBuilder();
  const [x, axis, sizes] = [b.tensor(IMAGE), b.numbers([1], []), b.numbers([2, 2])];
  const [top, bottom] = [b.tensor([1, 2, 4, 2]), b.tensor([1, 2, 4, 2])];
  const operands = name === 'SPLIT' ? [axis, x] : [x, sizes, axis];
  return b.operator(name, operands, [top, bottom], { numSplits: 2 }).model([x], [top, bottom]);
}

/** What the passes look for: boundary conversions, pad, residual, activation, transposes, mean, reshape. */
function network(): TfliteModel {
  const b = new ModelBuilder();
  const image = b.tensor([1, 4, 4, 2], { type: 'FLOAT32', scale: null });
  const x = b.tensor(IMAGE);
  const padded = b.tensor([1, 6, 6, 2]);
  const conv = b.tensor([1, 4, 4, 2]);
  const clamped = b.tensor([1, 4, 4, 2]);
  const sum = b.tensor([1, 4, 4, 2]);
  const channelsFirst = b.tensor([1, 2, 4, 4]);
  const averaged = b.tensor([1, 2]);
  const flat = b.tensor([2]);
  const y = b.tensor([2], { type: 'FLOAT32', scale: null });
  b.operator('QUANTIZE', [image], [x])
    .operator('PAD', [x, b.numbers([0, 0, 1, 1, 1, 1, 0, 0], [4, 2])], [padded])
    .operator('CONV_2D', [padded, b.weights([2, 3, 3, 2], { scale: 0.01 })], [conv], {
      ...SAME_STRIDE_1,
      padding: 'VALID',
    })
    .operator('RELU', [conv], [clamped])
    .operator('ADD', [clamped, x], [sum])
    .operator('TRANSPOSE', [sum, b.numbers([0, 3, 1, 2])], [channelsFirst])
    .operator('MEAN', [channelsFirst, b.numbers([2, 3])], [averaged])
    .operator('RESHAPE', [averaged], [flat])
    .operator('DEQUANTIZE', [flat], [y]);
  return b.model([image], [y]);
}

/** Operators on constants, which are computed while compiling. */
function constants(): TfliteModel {
  const b = new ModelBuilder();
  const x = b.tensor(IMAGE);
  const [table, grown, sum, y] = [
    b.weights([2, 2], { scale: 0.5 }),
    b.tensor([4, 2]),
    b.tensor([4, 2]),
    b.tensor(IMAGE),
  ];
  b.operator('PAD', [table, b.numbers([1, 1, 0, 0], [2, 2])], [grown])
    .operator('ADD', [grown, b.weights([2], { scale: 0.5 })], [sum])
    .operator('ADD', [x, sum], [y]);
  return b.model([x], [y]);
}

/** Operators that at least one of the models above has. */
export function coveredOperators(): Set<OpName> {
  const operators = [...OPERATOR_MODELS.values()].flatMap((model) => model.subgraphs[0]!.operators);
  return new Set(operators.map(({ name }) => name as OpName));
}
