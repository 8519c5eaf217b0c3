import { clamp, quantizeMultiplier, roundingDivideByPowerOfTwo } from '../../core/fixedpoint.ts';
import type { TensorType } from '../../ir/types.ts';
import { multiplierProblem, scaleOf, zeroPointOf } from '../quantization.ts';
import { lookupOperator } from './lookup.ts';

/**
 * x * relu6(x + 3) / 6 in 16-bit fixed point, step by step as TFLM's HardSwish does it, truncation of the last product
 * included. docs/numerics.md, section 3.
 */
export const hardSwish = lookupOperator({
  name: 'hard_swish',
  problem(_, x, y) {
    const { toOutput, toReluish } = ratios(x, y);
    const problem = multiplierProblem([toOutput, toReluish]);
    if (problem) return problem;
    if (quantizeMultiplier(toOutput).shift <= 0) return undefined;
    return {
      code: 'RV2004',
      message: `the output's scale is ${toOutput * 128} times finer than the input's`,
    };
  },
  evaluate(_, x, y) {
    const { toOutput, toReluish } = ratios(x, y);
    const output = halfMultiplier(toOutput);
    const reluish = halfMultiplier(toReluish);
    const [zeroIn, zeroOut] = [zeroPointOf(x), zeroPointOf(y)];
    return (q) => {
      const hires = (q - zeroIn) * 128;
      const product = highMul16(hires, output.multiplier);
      const gate = (reluishGate(hires, reluish) + 32768) >> 1;
      const scaled = clamp(Math.trunc((gate * product) / 32768), -32768, 32767);
      return roundingDivideByPowerOfTwo(scaled, -output.shift) + zeroOut;
    };
  },
});

/** From the input with 7 more bits to the output's scale, and to 3 / 32768, where int16 saturates at ±3. */
function ratios(x: TensorType, y: TensorType): { toOutput: number; toReluish: number } {
  const hires = Math.fround(Math.fround(1 / 128) * scaleOf(x));
  return {
    toOutput: Math.fround(hires / scaleOf(y)),
    toReluish: Math.fround(hires / Math.fround(3 / 32768)),
  };
}

/** The value in units of 3 / 32768, saturated to int16; the shift is split so that only its last bit can saturate. */
function reluishGate(hires: number, { multiplier, shift }: { multiplier: number; shift: number }): number {
  let gate = hires;
  if (shift > 0) gate = saturate16(gate * 2 ** (shift - 1));
  gate = highMul16(gate, multiplier);
  if (shift > 0) gate = saturate16(gate * 2);
  return shift < 0 ? roundingDivideByPowerOfTwo(gate, -shift) : gate;
}

/** A multiplier with 15 bits: (M + 2^15) >> 16, saturated. */
function halfMultiplier(m: number): { multiplier: number; shift: number } {
  const { multiplier, shift } = quantizeMultiplier(m);
  return { multiplier: Math.min(32767, Math.floor((multiplier + 32768) / 65536)), shift };
}

/** SaturatingRoundingDoublingHighMul of int16; b is never -32768. */
function highMul16(a: number, b: number): number {
  return (a * b + 16384) >> 15;
}

function saturate16(x: number): number {
  return clamp(x, -32768, 32767);
}
