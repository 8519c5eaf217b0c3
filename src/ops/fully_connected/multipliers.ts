import type { TensorType } from '../../ir/types.ts';
import { channelMultipliers } from '../convolution.ts';
import { isPerTensor, scaleOf } from '../quantization.ts';

/**
 * The real multipliers, one per output or a single one. TFLite has two rules: per tensor (S_in * S_w in float32) / S_out
 * (`GetQuantizedConvolutionMultipler`), per channel (S_in * S_w[c]) / S_out in double as a convolution.
 */
export function fullyConnectedMultipliers(x: TensorType, weights: TensorType, y: TensorType): number[] {
  if (!isPerTensor(weights)) return channelMultipliers(x, weights, y, weights.shape[0]!);
  return [Math.fround(scaleOf(x) * scaleOf(weights)) / scaleOf(y)];
}
