/** Which TFLite operators can be imported, and by what. The feature table of docs/operators.md follows this table. */
import type { OpName as TfliteOpName } from '../formats/tflite/schema.ts';
import { importAveragePool2d } from './average_pool2d/import.ts';
import { importConcatenation } from './concat/import.ts';
import { importConv2d } from './conv2d/import.ts';
import { importDepthwiseConv2d } from './depthwise_conv2d/import.ts';
import { importDequantize } from './dequantize/import.ts';
import {
  importAdd,
  importMaximum,
  importMinimum,
  importMul,
  importPrelu,
  importSub,
} from './elementwise/import.ts';
import { importFullyConnected } from './fully_connected/import.ts';
import type { TfliteImporter } from './import-context.ts';
import { importMaxPool2d } from './max_pool2d/import.ts';
import { importMean } from './mean/import.ts';
import { importPad, importPadV2 } from './pad/import.ts';
import { importQuantize } from './quantize/import.ts';
import { importExpandDims, importReshape, importSqueeze } from './reshape/import.ts';
import { importResizeBilinear, importResizeNearest } from './resize/import.ts';
import { importSlice, importSplit, importSplitV, importStridedSlice } from './slice/import.ts';
import { importSoftmax } from './softmax/import.ts';
import { importTranspose } from './transpose/import.ts';
import { importTransposeConv } from './transpose_conv2d/import.ts';
import {
  importHardSwish,
  importLeakyRelu,
  importLogistic,
  importRelu,
  importRelu6,
  importReluN1To1,
  importTanh,
} from './unary/import.ts';

export const TFLITE_IMPORTERS = {
  CONV_2D: importConv2d,
  DEPTHWISE_CONV_2D: importDepthwiseConv2d,
  TRANSPOSE_CONV: importTransposeConv,
  FULLY_CONNECTED: importFullyConnected,
  AVERAGE_POOL_2D: importAveragePool2d,
  MAX_POOL_2D: importMaxPool2d,
  MEAN: importMean,
  SOFTMAX: importSoftmax,
  ADD: importAdd,
  SUB: importSub,
  MUL: importMul,
  MAXIMUM: importMaximum,
  MINIMUM: importMinimum,
  PRELU: importPrelu,
  RELU: importRelu,
  RELU6: importRelu6,
  RELU_N1_TO_1: importReluN1To1,
  LEAKY_RELU: importLeakyRelu,
  HARD_SWISH: importHardSwish,
  LOGISTIC: importLogistic,
  TANH: importTanh,
  QUANTIZE: importQuantize,
  DEQUANTIZE: importDequantize,
  PAD: importPad,
  PADV2: importPadV2,
  RESHAPE: importReshape,
  SQUEEZE: importSqueeze,
  EXPAND_DIMS: importExpandDims,
  TRANSPOSE: importTranspose,
  CONCATENATION: importConcatenation,
  SLICE: importSlice,
  STRIDED_SLICE: importStridedSlice,
  SPLIT: importSplit,
  SPLIT_V: importSplitV,
  RESIZE_NEAREST_NEIGHBOR: importResizeNearest,
  RESIZE_BILINEAR: importResizeBilinear,
} satisfies { readonly [N in TfliteOpName]?: TfliteImporter<N> };
