/** Mistakes in element types and quantisation: which diagnostic each gives, where, and what it advises. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import type { RivuletError } from '../../src/core/diagnostics.ts';
import { buildFlatFile, type FlatFields, flat } from '../../src/formats/flatbuffer-builder.ts';
import {
  BUFFER,
  FILE_IDENTIFIER,
  MODEL,
  OPERATOR,
  OPERATOR_CODE,
  OPS,
  QUANTIZATION,
  SUBGRAPH,
  TENSOR,
  TENSOR_TYPES,
} from '../../src/formats/tflite/schema.ts';
import { allTyped, convolution, itRefuses, withOptions, withScale, withTensor } from '../support/mistakes.ts';
import { ModelBuilder, oneOperator } from '../support/tflite-models.ts';

const CONV = 'operator 0 (CONV_2D)';
const SHAPE = [3, 3, 3, 2];

describe('types and quantisation', () => {
  const rest = { code: 'RV2004', says: 'scale', at: 'operator 0 (AVERAGE_POOL_2D)' } as const;
  itRefuses({
    'uint8 activations': {
      of: allTyped('relu', 'UINT8'),
      code: 'RV2003',
      says: 'uint8, not int8',
      at: 'operator 0 (RELU)',
      advises: 'full integer quantisation',
    },
    'int16 activations': {
      of: allTyped('conv2d', 'INT16'),
      code: 'RV2003',
      says: 'int16, not int8',
      at: CONV,
      advises: 'full integer quantisation',
    },
    'a type we do not know': {
      of: withTensor('relu', 0, { type: 'COMPLEX64' }),
      code: 'RV2003',
      says: 'COMPLEX64',
      at: 'tensor 0',
    },
    'INT4 weights': {
      of: withTensor('conv2d', 1, { type: 'INT4' }),
      code: 'RV2003',
      says: 'INT4',
      at: 'tensor 1',
    },
    'missing scales of an activation': {
      of: oneOperator('RELU', { y: [1, 4, 4, 2], xOptions: { scale: null } }),
      code: 'RV2004',
      says: 'no scale',
      at: 'operator 0 (RELU)',
      advises: 'calibrate',
    },
    'missing scales of weights': {
      of: convolution({ shape: SHAPE, scale: null }),
      code: 'RV2004',
      says: 'the weights have no scale',
      at: CONV,
    },
    'per-channel activations': {
      of: oneOperator('LOGISTIC', { y: [1, 4, 4, 2], xOptions: { scale: [1, 2], axis: 3 } }),
      code: 'RV2004',
      says: 'more than one scale',
      at: 'operator 0 (LOGISTIC)',
      advises: 'one scale',
    },
    'weights with scales along the wrong axis': {
      of: convolution({ shape: [3, 3, 3, 2], scale: [1, 2], axis: 3 }),
      code: 'RV2004',
      says: '2 scales along axis 3',
      at: CONV,
    },
    'weights with a zero point': {
      of: convolution({ shape: SHAPE, zeroPoint: 3 }),
      code: 'RV2004',
      says: 'zero point other than 0',
      at: CONV,
    },
    'a zero point that int8 does not have': {
      of: oneOperator('RELU', { y: [1, 4, 4, 2], xOptions: { zeroPoint: 200 } }),
      code: 'RV2004',
      says: 'zero point 200',
      at: 'operator 0 (RELU)',
    },
    'scale 0': { of: withScale('averagePool', 0, 0), ...rest },
    'scale NaN': { of: withScale('averagePool', 0, Number.NaN), ...rest },
    'scale infinity': { of: withScale('averagePool', 0, Number.POSITIVE_INFINITY), ...rest },
    'a negative scale': { of: withScale('averagePool', 0, -1), ...rest },
    'a negative scale of weights': {
      of: withScale('conv2d', 1, -1),
      code: 'RV2004',
      says: 'a scale of -1',
      at: CONV,
    },
    'a denormal scale of the output': {
      of: withScale('conv2d', 3, 1e-45),
      code: 'RV2004',
      says: 'multiplier',
      at: CONV,
    },
    'a huge scale of the input': {
      of: withScale('conv2d', 0, 3e38),
      code: 'RV2004',
      says: 'multiplier',
      at: CONV,
    },
    'a NaN beta': {
      of: withOptions('softmax', { beta: Number.NaN }),
      code: 'RV2004',
      says: 'beta NaN',
      at: 'operator 0 (SOFTMAX)',
    },
    'a quantisation scheme that is no scale': {
      of: flatRelu({ [TENSOR.quantization]: flat.table({ [QUANTIZATION.detailsType]: flat.uint8(1) }) }),
      code: 'RV1005',
      says: 'scheme CUSTOM',
      at: 'tensor 0',
    },
    'weights that are stored sparse': {
      of: flatRelu({ [TENSOR.sparsity]: flat.table({}), [TENSOR.buffer]: flat.uint32(1) }, 2),
      code: 'RV1005',
      says: 'stored sparse',
      at: 'operator 0 (RELU)',
    },
  });

  it('a float model gets one message for each kind of problem', () => {
    const b = new ModelBuilder();
    const float = { type: 'FLOAT32', scale: null } as const;
    const tensors = Array.from({ length: 41 }, () => b.tensor([1, 4], float));
    for (let i = 0; i < 40; ++i) b.operator('RELU', [tensors[i]!], [tensors[i + 1]!]);
    const bytes = b.file([0], [40]);
    expect(() => compile(bytes)).toThrow(/not int8/);
    let text = '';
    try {
      compile(bytes);
    } catch (error) {
      text = (error as RivuletError).message;
    }
    expect(text.match(/RV2003/g)).toHaveLength(1);
    expect(text).toContain('at operator 0 (RELU) "t1"');
    expect(text).toMatch(/and 3\d more places/);
    expect(text.split('\n').length).toBeLessThan(12);
  });
});

/** A RELU from tensor 0, which has fields that the writer does not write, to tensor 1; the graph's input is tensor `input`. */
function flatRelu(more: FlatFields, input = 0): Uint8Array {
  const tensor = (fields: FlatFields) =>
    flat.table({
      [TENSOR.shape]: flat.int32s([1, 4]),
      [TENSOR.type]: flat.int8(TENSOR_TYPES.indexOf('INT8')),
      ...fields,
    });
  const operator = { [OPERATOR.inputs]: flat.int32s([0]), [OPERATOR.outputs]: flat.int32s([1]) };
  const subgraph = {
    [SUBGRAPH.tensors]: flat.list([tensor(more), tensor({}), tensor({})]),
    [SUBGRAPH.inputs]: flat.int32s([input]),
    [SUBGRAPH.outputs]: flat.int32s([1]),
    [SUBGRAPH.operators]: flat.list([flat.table(operator)]),
  };
  const model = {
    [MODEL.version]: flat.uint32(3),
    [MODEL.operatorCodes]: flat.list([
      flat.table({ [OPERATOR_CODE.builtinCode]: flat.int32(OPS.RELU.code) }),
    ]),
    [MODEL.subgraphs]: flat.list([flat.table(subgraph)]),
    [MODEL.buffers]: flat.list([
      flat.table({}),
      flat.table({ [BUFFER.data]: flat.bytes(new Uint8Array(4)) }),
    ]),
  };
  return buildFlatFile(model, FILE_IDENTIFIER);
}
