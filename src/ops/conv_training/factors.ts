/** Real factors by output channel, as kernels take them. */
import type { Value } from '../../ir/types.ts';
import type { Tensor } from '../definition.ts';
import { channelFactors, channelScale, stepFactors } from '../update.ts';

type Weights = Value | Tensor;

/** Of the gradient that goes back through weights [O, kh, kw, I]: their scales. */
export function inputFactors(weights: Weights): { factors: Uint8Array; bits: number } {
  const [outputs, kh, kw] = weights.shape as [number, number, number];
  const scales = Array.from({ length: outputs }, (_, o) => channelScale(weights, o));
  return channelFactors(scales, (m) => kh * kw * m.reduce((sum, x) => sum + x, 0));
}

/** Of a step of weights: dW = g * S_x in real numbers, and a unit of weight is S_w. */
export function weightFactors(
  qas: boolean,
  inputScale: number,
  weights: Weights,
  outputs: number,
): Float32Array {
  return stepFactors(outputs, (o) => {
    const scale = channelScale(weights, o);
    return qas ? inputScale / scale : inputScale * scale;
  });
}

/** Of a step of the bias, whose unit is S_x * S_w. */
export function biasFactors(
  qas: boolean,
  inputScale: number,
  weights: Weights,
  outputs: number,
): Float32Array {
  return stepFactors(outputs, (o) => {
    const unit = inputScale * channelScale(weights, o);
    return qas ? 1 / unit : unit;
  });
}
