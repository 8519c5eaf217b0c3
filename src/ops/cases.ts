/** The cases of every operator, by operator folder. */

import { cases as averagePool2d } from './average_pool2d/cases.ts';
import {
  sumCases as gradientSum,
  meanCases as meanGradient,
  mulCases as mulGradient,
  averagePoolCases as quantizedAveragePool2dGradient,
  maxPoolCases as quantizedMaxPool2dGradient,
  unaryCases as unaryGradient,
} from './backward/cases.ts';
import {
  resizeBilinearCases as quantizedResizeBilinearGradient,
  resizeNearestCases as quantizedResizeNearestGradient,
  softmaxCases as quantizedSoftmaxGradient,
} from './backward/shape-cases.ts';
import type { OpCase } from './case.ts';
import { cases as clampMask } from './clamp_mask/cases.ts';
import { cases as concat } from './concat/cases.ts';
import {
  biasUpdateCases,
  extremeForwardCases,
  extremeGradientCases,
  forwardCases,
  inputGradientCases,
  plainUpdateCases,
  updateCases,
} from './conv_training/cases.ts';
import { cases as conv2d } from './conv2d/cases.ts';
import { cases as depthwiseConv2d } from './depthwise_conv2d/cases.ts';
import {
  updateCases as depthwiseConv2dUpdate,
  inputGradientCases as quantizedDepthwiseConv2dInputGradient,
  forwardCases as trainedDepthwiseConv2d,
} from './depthwise_training/cases.ts';
import { cases as dequantize } from './dequantize/cases.ts';
import { cases as elementwise } from './elementwise/cases.ts';
import { cases as expandDepthwise2d } from './expand_depthwise2d/cases.ts';
import { cases as fullyConnected } from './fully_connected/cases.ts';
import { cases as gatherChannels } from './gather_channels/cases.ts';
import { cases as maxPool2d } from './max_pool2d/cases.ts';
import { cases as mean } from './mean/cases.ts';
import { cases as pad } from './pad/cases.ts';
import { cases as quantize } from './quantize/cases.ts';
import {
  gradientCases as crossEntropyGradient,
  lossCases as crossEntropyLoss,
} from './quantized_cross_entropy/cases.ts';
import { cases as reshape } from './reshape/cases.ts';
import { cases as resize } from './resize/cases.ts';
import { cases as slice } from './slice/cases.ts';
import { cases as softmax } from './softmax/cases.ts';
import { cases as transpose } from './transpose/cases.ts';
import { cases as transposeConv2d } from './transpose_conv2d/cases.ts';
import { cases as unary } from './unary/cases.ts';

export const ALL_CASES: Readonly<Record<string, readonly OpCase[]>> = {
  conv2d,
  depthwise_conv2d: depthwiseConv2d,
  expand_depthwise2d: expandDepthwise2d,
  transpose_conv2d: transposeConv2d,
  fully_connected: fullyConnected,
  average_pool2d: averagePool2d,
  max_pool2d: maxPool2d,
  mean,
  softmax,
  ...elementwise,
  ...unary,
  quantize,
  dequantize,
  pad,
  reshape,
  transpose,
  concat,
  slice,
  ...resize,
  softmax_cross_entropy_loss: crossEntropyLoss,
  quantized_softmax_cross_entropy_gradient: crossEntropyGradient,
  clamp_mask: clampMask,
  gather_channels: gatherChannels,
  trained_conv2d: [...forwardCases, ...extremeForwardCases],
  quantized_conv2d_input_gradient: [...inputGradientCases, ...extremeGradientCases],
  conv2d_update: [...updateCases, ...plainUpdateCases],
  bias_update: biasUpdateCases,
  trained_depthwise_conv2d: trainedDepthwiseConv2d,
  quantized_depthwise_conv2d_input_gradient: quantizedDepthwiseConv2dInputGradient,
  depthwise_conv2d_update: depthwiseConv2dUpdate,
  gradient_sum: gradientSum,
  mean_gradient: meanGradient,
  quantized_average_pool2d_gradient: quantizedAveragePool2dGradient,
  quantized_max_pool2d_gradient: quantizedMaxPool2dGradient,
  unary_gradient: unaryGradient,
  mul_gradient: mulGradient,
  quantized_softmax_gradient: quantizedSoftmaxGradient,
  quantized_resize_nearest_gradient: quantizedResizeNearestGradient,
  quantized_resize_bilinear_gradient: quantizedResizeBilinearGradient,
};
