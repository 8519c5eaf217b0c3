/** Logistic and tanh by gemmlowp's fixed-point functions. docs/numerics.md, section 5. */
import { quantizeMultiplier, requantize, roundingDivideByPowerOfTwo } from '../../core/fixedpoint.ts';
import { logisticOf, tanhOf } from '../../core/transcendental.ts';
import type { TensorType } from '../../ir/types.ts';
import type { Problem } from '../definition.ts';
import { scaleOf, zeroPointOf } from '../quantization.ts';
import { lookupOperator } from './lookup.ts';

/** Integer bits of the argument: its 27 fraction bits cover [-16, 16). */
const INTEGER_BITS = 4;

export const logistic = lookupOperator({
  name: 'logistic',
  problem: (_, __, y) => outputProblem(y, 1 / 256, -128),
  evaluate: (_, x) =>
    saturating(x, (raw) => roundingDivideByPowerOfTwo(logisticOf(raw, INTEGER_BITS), 23) - 128),
});

export const tanh = lookupOperator({
  name: 'tanh',
  problem: (_, __, y) => outputProblem(y, 1 / 128, 0),
  evaluate: (_, x) => saturating(x, (raw) => roundingDivideByPowerOfTwo(tanhOf(raw, INTEGER_BITS), 24)),
});

/**
 * `inside` of the fixed-point argument; the lowest or highest result where |d| = |q - Z| reaches the radius of about
 * 15 / S. As in TFLM, a scale of 8 or more makes the radius 0, and then even d = 0 gives the lowest result.
 */
function saturating(x: TensorType, inside: (raw: number) => number): (q: number) => number {
  const multiplier = quantizeMultiplier(scaleOf(x) * 2 ** (31 - INTEGER_BITS));
  const radius = Math.floor((2 ** INTEGER_BITS - 1) * 2 ** (31 - INTEGER_BITS - multiplier.shift));
  const zeroPoint = zeroPointOf(x);
  return (q) => {
    const d = q - zeroPoint;
    if (d <= -radius) return -128;
    return d >= radius ? 127 : inside(requantize(d, multiplier));
  };
}

/** The format fixes what these operators write: [0, 1) in 256 steps, [-1, 1) in 256 steps. */
function outputProblem(y: TensorType, scale: number, zeroPoint: number): Problem | undefined {
  if (scaleOf(y) === scale && zeroPointOf(y) === zeroPoint) return undefined;
  return {
    code: 'RV2004',
    message: `the output has scale ${scaleOf(y)} and zero point ${zeroPointOf(y)}, not 1/${1 / scale} and ${zeroPoint}`,
    hint: 'convert the model with full integer quantisation, which fixes these values',
  };
}
