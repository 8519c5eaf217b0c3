/** Every operator of the IR. A missing one does not compile. */
import type { OpName } from '../ir/attributes.ts';
import { averagePool2d } from './average_pool2d/op.ts';
import { quantizedAveragePool2dGradient } from './backward/average-pool.ts';
import { quantizedMaxPool2dGradient } from './backward/max-pool.ts';
import { meanGradient } from './backward/mean.ts';
import { mulGradient } from './backward/mul.ts';
import { gradientSum } from './backward/sum.ts';
import { unaryGradient } from './backward/unary.ts';
import { clampMask } from './clamp_mask/op.ts';
import { concat } from './concat/op.ts';
import { biasUpdate, conv2dUpdate, quantizedConv2dInputGradient, trainedConv2d } from './conv_training/op.ts';
import { conv2d } from './conv2d/op.ts';
import type { OpDef } from './definition.ts';
import { depthwiseConv2d } from './depthwise_conv2d/op.ts';
import { trainedDepthwiseConv2d } from './depthwise_training/forward.ts';
import { quantizedDepthwiseConv2dInputGradient } from './depthwise_training/input-gradient.ts';
import { depthwiseConv2dUpdate } from './depthwise_training/update.ts';
import { dequantize } from './dequantize/op.ts';
import { add, maximum, minimum, mul, prelu, sub } from './elementwise/op.ts';
import { expandDepthwise2d } from './expand_depthwise2d/op.ts';
import { fullyConnected } from './fully_connected/op.ts';
import { gatherChannels } from './gather_channels/op.ts';
import { maxPool2d } from './max_pool2d/op.ts';
import { mean } from './mean/op.ts';
import { pad } from './pad/op.ts';
import { quantize } from './quantize/op.ts';
import {
  quantizedSoftmaxCrossEntropyGradient,
  softmaxCrossEntropyLoss,
} from './quantized_cross_entropy/op.ts';
import { reshape } from './reshape/op.ts';
import { resizeBilinear, resizeNearest } from './resize/op.ts';
import { slice } from './slice/op.ts';
import { softmax } from './softmax/op.ts';
import { transpose } from './transpose/op.ts';
import { transposeConv2d } from './transpose_conv2d/op.ts';
import { hardSwish, leakyRelu, logistic, relu, tanh } from './unary/op.ts';

export const OPS: { readonly [K in OpName]: OpDef<K> } = {
  conv2d,
  depthwise_conv2d: depthwiseConv2d,
  expand_depthwise2d: expandDepthwise2d,
  transpose_conv2d: transposeConv2d,
  fully_connected: fullyConnected,
  average_pool2d: averagePool2d,
  max_pool2d: maxPool2d,
  mean,
  softmax,
  add,
  sub,
  mul,
  maximum,
  minimum,
  prelu,
  relu,
  leaky_relu: leakyRelu,
  hard_swish: hardSwish,
  logistic,
  tanh,
  quantize,
  dequantize,
  pad,
  reshape,
  transpose,
  concat,
  slice,
  resize_nearest: resizeNearest,
  resize_bilinear: resizeBilinear,
  softmax_cross_entropy_loss: softmaxCrossEntropyLoss,
  quantized_softmax_cross_entropy_gradient: quantizedSoftmaxCrossEntropyGradient,
  clamp_mask: clampMask,
  gather_channels: gatherChannels,
  trained_conv2d: trainedConv2d,
  quantized_conv2d_input_gradient: quantizedConv2dInputGradient,
  conv2d_update: conv2dUpdate,
  bias_update: biasUpdate,
  trained_depthwise_conv2d: trainedDepthwiseConv2d,
  quantized_depthwise_conv2d_input_gradient: quantizedDepthwiseConv2dInputGradient,
  depthwise_conv2d_update: depthwiseConv2dUpdate,
  gradient_sum: gradientSum,
  mean_gradient: meanGradient,
  quantized_average_pool2d_gradient: quantizedAveragePool2dGradient,
  quantized_max_pool2d_gradient: quantizedMaxPool2dGradient,
  unary_gradient: unaryGradient,
  mul_gradient: mulGradient,
};
