/** Mistakes in operators and their operands: which diagnostic each gives, where, and what it advises. */
import { describe, expect, it } from 'vitest';
import {
  convolution,
  diagnosticsOf,
  itRefuses,
  moved,
  withOptions,
  withTensor,
} from '../support/mistakes.ts';
import { type ModelBuilder, oneOperator } from '../support/tflite-models.ts';

const CONV = 'operator 0 (CONV_2D)';
const SHAPE = [3, 3, 3, 2];

describe('convolutions and pools', () => {
  const same = (b: ModelBuilder): number => b.numbers([1, 2, 3]);
  itRefuses({
    'stride 0': { of: withOptions('conv2d', { strideH: 0 }), code: 'RV2002', says: 'stride [0,1]', at: CONV },
    'stride 2^30': {
      of: withOptions('conv2d', { strideH: 1 << 30 }),
      code: 'RV2002',
      says: '1073741824',
      at: CONV,
    },
    'a negative stride': {
      of: withOptions('maxPool', { strideW: -2 }),
      code: 'RV2002',
      says: '-2',
      at: 'MAX_POOL_2D',
    },
    'dilation 0': {
      of: withOptions('conv2d', { dilationW: 0 }),
      code: 'RV2002',
      says: 'dilation [1,0]',
      at: CONV,
    },
    'dilation 2^30': {
      of: withOptions('conv2d', { dilationH: 1 << 30 }),
      code: 'RV2002',
      says: '1073741824',
      at: CONV,
    },
    'a giant stride with VALID': {
      of: withOptions('conv2d', { padding: 'VALID', strideH: 2 ** 31 - 1 }),
      code: 'RV2002',
      says: '2147483647',
      at: CONV,
    },
    'a window larger than the image': {
      of: withOptions('maxPool', { filterHeight: 9 }),
      code: 'RV2005',
      says: 'follows from the input',
      at: 'operator 0 (MAX_POOL_2D)',
    },
    'a window of no rows': {
      of: withOptions('maxPool', { filterHeight: 0 }),
      code: 'RV2002',
      says: 'window',
      at: 'operator 0 (MAX_POOL_2D)',
    },
    'a giant window': {
      of: withOptions('averagePool', { filterHeight: 1 << 30, filterWidth: 1 << 30 }),
      code: 'RV2002',
      says: '1073741824',
      at: 'operator 0 (AVERAGE_POOL_2D)',
    },
    'an activation that is not supported': {
      of: withOptions('conv2d', { activation: 'TANH' }),
      code: 'RV2002',
      says: 'fused activation TANH',
      at: CONV,
    },
    'channels that cannot be grouped': {
      of: convolution({ shape: [3, 3, 3, 5] }),
      code: 'RV2005',
      says: 'group',
      at: CONV,
    },
    'three-dimensional weights': {
      of: convolution({ shape: [3, 3, 2] }),
      code: 'RV2005',
      says: 'four dimensions',
      at: CONV,
    },
    'weights computed by the model': {
      of: oneOperator('CONV_2D', {
        y: [1, 4, 4, 2],
        rest: () => [0],
        options: { padding: 'SAME', strideW: 1, strideH: 1 },
      }),
      code: 'RV2008',
      says: 'the weights are computed',
      at: CONV,
      advises: 'must be constant',
    },
    'a bias of the wrong length': {
      of: convolution({ shape: SHAPE }, (b) => b.numbers([1, 2])),
      code: 'RV2005',
      says: 'the bias has 2 elements for 3 channels',
      at: CONV,
    },
    'a bias of the wrong type': {
      of: convolution({ shape: SHAPE }, (b) => b.tensor([3], { data: Int8Array.of(1, 2, 3) })),
      code: 'RV2003',
      says: 'the bias is int8',
      at: CONV,
    },
    'a missing operand': {
      of: oneOperator('CONV_2D', { y: [1, 4, 4, 3], rest: () => [-1] }),
      code: 'RV1004',
      says: 'operand 1 is missing',
      at: CONV,
    },
    'a fully connected layer of another inner size': {
      of: oneOperator('FULLY_CONNECTED', { x: [1, 8], y: [1, 3], rest: (b) => [b.weights([3, 7])] }),
      code: 'RV2005',
      says: 'do not lead from input [1,8]',
      at: 'operator 0 (FULLY_CONNECTED)',
    },
    'shuffled weights': {
      of: withOptions('fullyConnected', { weightsFormat: 'SHUFFLED4x16INT8' }),
      code: 'RV2002',
      says: 'SHUFFLED4x16INT8',
      at: 'operator 0 (FULLY_CONNECTED)',
    },
  });

  it('the convolution that the mistakes are made in is right', () => {
    expect(diagnosticsOf(convolution({ shape: SHAPE }, same))).toEqual([]);
  });
});

describe('operators that move bytes', () => {
  itRefuses({
    'a reshape to another number of elements': {
      of: moved('RESHAPE', [31]),
      code: 'RV2005',
      says: '[1,4,4,2] cannot be reshaped to [31]',
      at: 'operator 0 (RESHAPE)',
    },
    'a concatenation of different ranks': {
      of: oneOperator('CONCATENATION', {
        y: [1, 4, 4, 4],
        rest: (b) => [b.weights([4, 2], { scale: 0.5 })],
        options: { axis: 3 },
      }),
      code: 'RV2005',
      says: '[4,2] cannot be joined',
      at: 'operator 0 (CONCATENATION)',
    },
    'an axis that does not exist': {
      of: withOptions('concatenation', { axis: -5 }),
      code: 'RV2002',
      says: 'axis -5 does not exist in 4 dimensions',
      at: 'operator 0 (CONCATENATION)',
    },
    'a slice out of range': {
      of: moved('SLICE', [1, 2, 4, 2], [0, 3, 0, 0], [1, 2, 4, 2]),
      code: 'RV2005',
      says: 'elements 3 to 4',
      at: 'operator 0 (SLICE)',
    },
    'a slice with too few numbers': {
      of: moved('SLICE', [1, 2, 4, 2], [0], [1, 2, 4, 2]),
      code: 'RV2005',
      says: 'slice',
      at: 'operator 0 (SLICE)',
    },
    'a strided slice with stride 0': {
      of: moved('STRIDED_SLICE', [1, 4, 4, 2], [0, 0, 0, 0], [1, 4, 4, 2], [1, 0, 1, 1]),
      code: 'RV2002',
      says: 'no stride in dimension 1',
      at: 'operator 0 (STRIDED_SLICE)',
    },
    'a strided slice with an ellipsis': {
      of: withOptions('stridedSlice', { ellipsisMask: 1 }),
      code: 'RV2002',
      says: 'ellipsis',
      at: 'operator 0 (STRIDED_SLICE)',
      advises: 'per dimension',
    },
    'a transposition that repeats an axis': {
      of: moved('TRANSPOSE', [1, 4, 4, 4], [0, 1, 1, 2]),
      code: 'RV2002',
      says: 'not a permutation',
      at: 'operator 0 (TRANSPOSE)',
    },
    'a transposition along an axis that does not exist': {
      of: moved('TRANSPOSE', [1, 4, 4, 2], [0, 1, 2, 7]),
      code: 'RV2002',
      says: 'axis 7',
      at: 'operator 0 (TRANSPOSE)',
    },
    'a resize to nothing': {
      of: moved('RESIZE_NEAREST_NEIGHBOR', [1, 0, 4, 2], [0, 4]),
      code: 'RV2005',
      says: 'empty',
      at: 'tensor',
    },
    'a resize to 2^20 columns': {
      of: moved('RESIZE_BILINEAR', [1, 4, 1 << 20, 2], [4, 1 << 20]),
      code: 'RV2002',
      says: 'resizing is limited',
      at: 'operator 0 (RESIZE_BILINEAR)',
    },
    'a negative padding': {
      of: moved('PAD', [1, 3, 4, 2], [0, 0, -1, 0, 0, 0, 0, 0]),
      code: 'RV2002',
      says: 'negative',
      at: 'operator 0 (PAD)',
    },
    'a gigantic padding': {
      of: moved('PAD', [1, (1 << 29) + 4, 1, 2], [0, 0, 1 << 29, 0, 0, 0, 0, 0]),
      code: 'RV2006',
      says: 'bytes in [1,536870916,1,2]',
      at: 'tensor',
    },
    'a padding of other dimensions': {
      of: moved('PAD', [1, 4, 4, 2], [0, 0, 1, 1]),
      code: 'RV2005',
      says: '4 padding sizes do not fit 4 dimensions',
      at: 'operator 0 (PAD)',
    },
    'paddings computed by the model': {
      of: oneOperator('PAD', { y: [1, 4, 4, 2], rest: () => [0] }),
      code: 'RV2008',
      says: 'the padding is computed',
      at: 'operator 0 (PAD)',
      advises: 'must be constant',
    },
    'a mean over no axes': {
      of: moved('MEAN', [1, 4, 4, 2], []),
      code: 'RV2002',
      says: 'no axes',
      at: 'operator 0 (MEAN)',
    },
    'a mean over an axis that does not exist': {
      of: moved('MEAN', [1, 4, 4, 2], [-7]),
      code: 'RV2002',
      says: 'axis -7',
      at: 'operator 0 (MEAN)',
    },
    'a split that leaves elements over': {
      of: withTensor('split', 4, { shape: [1, 1, 4, 2] }),
      code: 'RV2005',
      says: 'the parts have 3 of the 4 elements',
      at: 'operator 0 (SPLIT)',
    },
  });
});
