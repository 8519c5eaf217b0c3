import type { TensorType } from '../../ir/types.ts';
import { type Factors, factorsOf } from '../factors.ts';

/** The scales of weights [1, kh, kw, C] by channel. */
export function channelFactors({ shape, quantization }: TensorType): Factors {
  const [, kernelHeight, kernelWidth, channels] = shape as [number, number, number, number];
  const { scales } = quantization!;
  const reals = Array.from({ length: channels }, (_, c) => scales[scales.length === 1 ? 0 : c]!);
  return factorsOf(reals, kernelHeight * kernelWidth);
}
