import { clamp, roundingDivideByPowerOfTwo, roundingDoublingHighMul } from '../../core/fixedpoint.ts';
import { reciprocalOfOnePlus } from '../../core/transcendental.ts';
import type { ReferenceView } from '../definition.ts';
import { scaleOf } from '../quantization.ts';
import { softmaxTable } from './table.ts';

/** Bits by which exponentials are scaled down before they are summed. */
const SUM_BITS = 12;

/**
 * y = exp(beta * S_in * (x - max)) / sum of the same, over the last dimension, with 8 fraction bits and zero point -128
 * (`Softmax` of TFLite's reference). x and y [..., depth].
 */
export function softmaxReference({ attrs, ins, outs }: ReferenceView<'softmax'>): void {
  const [x, y] = [ins[0]!, outs[0]!];
  const depth = x.shape[x.shape.length - 1]!;
  const table = softmaxTable(attrs.beta, scaleOf(x));
  for (let start = 0; start < x.data.length; start += depth) {
    const values = Array.from(x.data.subarray(start, start + depth) as Int8Array);
    const largest = values.reduce((most, value) => Math.max(most, value));
    const exponentials = values.map((value) => table[largest - value]!);
    const sum = exponentials.reduce((total, e) => total + roundingDivideByPowerOfTwo(e, SUM_BITS), 0);
    const headroom = Math.clz32(sum);
    const reciprocal = reciprocalOfOnePlus(sum * 2 ** headroom - 2 ** 31);
    // Beyond 2^31 every probability rounds to 0; TFLite's shift is undefined there.
    const exponent = SUM_BITS - headroom + 31 - 8;
    exponentials.forEach((e, i) => {
      const scaled = roundingDoublingHighMul(reciprocal, e);
      const probability = exponent > 31 ? 0 : roundingDivideByPowerOfTwo(scaled, exponent);
      y.data[start + i] = clamp(probability - 128, -128, 127);
    });
  }
}
