/** Every operator of the IR. A missing one does not compile. */
import type { OpName } from '../ir/attributes.ts';
import { averagePool2d } from './average_pool2d/op.ts';
import { quantizedAveragePool2dGradient } from './backward/average-pool.ts';
import { quantizedMaxPool2dGradient } from './backward/max-pool.ts';
import { meanGradient } from './backward/mean.ts';
import { mulGradient } from './backward/mul.ts';
import { quantizedResizeBilinearGradient, quantizedResizeNearestGradient } from './backward/resize.ts';
import { quantizedSoftmaxGradient } from './backward/softmax.ts';
import { gradientSum } from './backward/sum.ts';
import { unaryGradient } from './backward/unary.ts';
import {
  batchMoments,
  batchNorm,
  batchNormInputGradient,
  batchNormParameterGradient,
} from './batch_norm/op.ts';
import { clampMask } from './clamp_mask/op.ts';
import { concat } from './concat/op.ts';
import { biasUpdate, conv2dUpdate, quantizedConv2dInputGradient, trainedConv2d } from './conv_training/op.ts';
import { conv2dFloat, conv2dInputGradient, conv2dWeightGradient } from './conv2d/float.ts';
import { conv2d } from './conv2d/op.ts';
import { softmaxCrossEntropy, softmaxCrossEntropyGradient } from './cross_entropy/op.ts';
import type { OpDef } from './definition.ts';
import {
  depthwiseConv2dFloat,
  depthwiseConv2dInputGradient,
  depthwiseConv2dWeightGradient,
} from './depthwise_conv2d/float.ts';
import { depthwiseConv2d } from './depthwise_conv2d/op.ts';
import { trainedDepthwiseConv2d } from './depthwise_training/forward.ts';
import { quantizedDepthwiseConv2dInputGradient } from './depthwise_training/input-gradient.ts';
import { depthwiseConv2dUpdate } from './depthwise_training/update.ts';
import { dequantize } from './dequantize/op.ts';
import { elementwiseFloat } from './elementwise/float.ts';
import { add, maximum, minimum, mul, prelu, sub } from './elementwise/op.ts';
import { expandDepthwise2d } from './expand_depthwise2d/op.ts';
import { withFloat } from './float.ts';
import { fullyConnectedFloat } from './fully_connected/float.ts';
import { fullyConnected } from './fully_connected/op.ts';
import { gatherChannels } from './gather_channels/op.ts';
import { maxPool2d } from './max_pool2d/op.ts';
import { mean } from './mean/op.ts';
import { concatFloat, padFloat, sliceFloat, sliceGradient, transposeFloat } from './movement/strided.ts';
import { adamUpdate, runningAverage, sgdUpdate } from './optimizer/op.ts';
import { pad } from './pad/op.ts';
import { averagePool2dGradient, maxPool2dGradient, poolFloat } from './pooling-float.ts';
import { quantize } from './quantize/op.ts';
import {
  quantizedSoftmaxCrossEntropyGradient,
  softmaxCrossEntropyLoss,
} from './quantized_cross_entropy/op.ts';
import { broadcast, meanFloat, sum } from './reduction/op.ts';
import { reshape } from './reshape/op.ts';
import { resizeBilinearGradient, resizeFloat, resizeNearestGradient } from './resize/float.ts';
import { resizeBilinear, resizeNearest } from './resize/op.ts';
import { slice } from './slice/op.ts';
import { softmaxFloat } from './softmax/float.ts';
import { softmax } from './softmax/op.ts';
import { transpose } from './transpose/op.ts';
import { transposeConv2dFloat } from './transpose_conv2d/float.ts';
import { transposeConv2d } from './transpose_conv2d/op.ts';
import { clampGradient, unaryFloat } from './unary/float.ts';
import { hardSwish, leakyRelu, logistic, relu, tanh } from './unary/op.ts';

export const OPS: { readonly [K in OpName]: OpDef<K> } = {
  conv2d: withFloat(conv2d, conv2dFloat),
  depthwise_conv2d: withFloat(depthwiseConv2d, depthwiseConv2dFloat),
  expand_depthwise2d: expandDepthwise2d,
  transpose_conv2d: withFloat(transposeConv2d, transposeConv2dFloat),
  fully_connected: withFloat(fullyConnected, fullyConnectedFloat),
  average_pool2d: withFloat(averagePool2d, poolFloat('average_pool2d')),
  max_pool2d: withFloat(maxPool2d, poolFloat('max_pool2d')),
  mean: withFloat(mean, meanFloat),
  softmax: withFloat(softmax, softmaxFloat),
  add: withFloat(add, elementwiseFloat('add')),
  sub: withFloat(sub, elementwiseFloat('sub')),
  mul: withFloat(mul, elementwiseFloat('mul')),
  maximum: withFloat(maximum, elementwiseFloat('maximum')),
  minimum: withFloat(minimum, elementwiseFloat('minimum')),
  prelu: withFloat(prelu, elementwiseFloat('prelu')),
  relu: withFloat(relu, unaryFloat('relu')),
  leaky_relu: withFloat(leakyRelu, unaryFloat('leaky_relu')),
  hard_swish: withFloat(hardSwish, unaryFloat('hard_swish')),
  logistic: withFloat(logistic, unaryFloat('logistic')),
  tanh: withFloat(tanh, unaryFloat('tanh')),
  quantize,
  dequantize,
  pad: withFloat(pad, padFloat(pad)),
  reshape,
  transpose: withFloat(transpose, transposeFloat(transpose)),
  concat: withFloat(concat, concatFloat(concat)),
  slice: withFloat(slice, sliceFloat(slice)),
  resize_nearest: withFloat(resizeNearest, resizeFloat('resize_nearest')),
  resize_bilinear: withFloat(resizeBilinear, resizeFloat('resize_bilinear')),
  conv2d_input_gradient: conv2dInputGradient,
  conv2d_weight_gradient: conv2dWeightGradient,
  depthwise_conv2d_input_gradient: depthwiseConv2dInputGradient,
  depthwise_conv2d_weight_gradient: depthwiseConv2dWeightGradient,
  average_pool2d_gradient: averagePool2dGradient,
  max_pool2d_gradient: maxPool2dGradient,
  clamp_gradient: clampGradient,
  batch_moments: batchMoments,
  batch_norm: batchNorm,
  batch_norm_parameter_gradient: batchNormParameterGradient,
  batch_norm_input_gradient: batchNormInputGradient,
  sum,
  broadcast,
  slice_gradient: sliceGradient,
  resize_nearest_gradient: resizeNearestGradient,
  resize_bilinear_gradient: resizeBilinearGradient,
  softmax_cross_entropy: softmaxCrossEntropy,
  softmax_cross_entropy_gradient: softmaxCrossEntropyGradient,
  running_average: runningAverage,
  sgd_update: sgdUpdate,
  adam_update: adamUpdate,
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
  quantized_softmax_gradient: quantizedSoftmaxGradient,
  quantized_resize_nearest_gradient: quantizedResizeNearestGradient,
  quantized_resize_bilinear_gradient: quantizedResizeBilinearGradient,
};
