/**
 * Transcendental functions of gemmlowp's `fixedpoint.h`, exact on int32 raws. docs/numerics.md, section 5.
 *
 * Fk stands for an int32 raw with k integer bits, that is real = raw * 2^(k - 31). A product of raws
 * (`roundingDoublingHighMul`) adds integer bits.
 */
import {
  INT32_MAX,
  roundingDivideByPowerOfTwo,
  roundingDoublingHighMul,
  saturatingShiftLeft,
} from './fixedpoint.ts';

/** exp(-2^e) in F0, for e = -2, -1, 0, 1, 2, 3, 4. */
const EXP_OF_MINUS_POWERS = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242] as const;
const LOWEST_POWER = -2;
/** exp(-1/8) and 1/3 in F0. */
const EXP_MINUS_EIGHTH = 1895147668;
const THIRD = 715827883;
/** 48/17, -32/17 and 1 in F2: the first guess of a division and its target. */
const DIVISION_OFFSET = 1515870810;
const DIVISION_SLOPE = -1010580540;
const ONE_F2 = 2 ** 29;

/**
 * `exp_on_negative_values`: e^x in F0.
 * @param raw x <= 0 in F`integerBits`
 * @param integerBits 0 to 5
 */
export function expOfNegative(raw: number, integerBits: number): number {
  if (raw === 0) return INT32_MAX;
  const fractionBits = 31 - integerBits;
  const quarter = 2 ** (fractionBits - 2);
  const modulo = (raw & (quarter - 1)) - quarter;
  const remainder = modulo - raw;
  let result = expNearZero(saturatingShiftLeft(modulo, integerBits));
  EXP_OF_MINUS_POWERS.forEach((factor, i) => {
    const power = LOWEST_POWER + i;
    if (power < integerBits && remainder & (1 << (fractionBits + power))) {
      result = roundingDoublingHighMul(result, factor);
    }
  });
  return result;
}

/** e^x in F0 for x in [-1/4, 0) in F0: Taylor's series of degree 4 around -1/8. */
function expNearZero(raw: number): number {
  const x = raw + 2 ** 28;
  const x2 = roundingDoublingHighMul(x, x);
  const x3 = roundingDoublingHighMul(x2, x);
  const x4 = roundingDoublingHighMul(x2, x2);
  const cubic = roundingDoublingHighMul(roundingDivideByPowerOfTwo(x4, 2) + x3, THIRD);
  const series = x + roundingDivideByPowerOfTwo(cubic + x2, 1);
  return EXP_MINUS_EIGHTH + roundingDoublingHighMul(EXP_MINUS_EIGHTH, series);
}

/** 2 / (1 + a) in F2 for a in [0, 1] in F0: three Newton steps. */
function twiceReciprocalOfOnePlus(raw: number): number {
  const half = Math.floor((raw + 2 ** 31) / 2);
  let x = DIVISION_OFFSET + roundingDoublingHighMul(half, DIVISION_SLOPE);
  for (let step = 0; step < 3; ++step) {
    const error = ONE_F2 - roundingDoublingHighMul(half, x);
    x += saturatingShiftLeft(roundingDoublingHighMul(x, error), 2);
  }
  return x;
}

/** `one_over_one_plus_x_for_x_in_0_1`: 1 / (1 + a) in F0 for a in [0, 1] in F0. */
export function reciprocalOfOnePlus(raw: number): number {
  return saturatingShiftLeft(twiceReciprocalOfOnePlus(raw), 1);
}

/** `logistic`: 1 / (1 + e^-x) in F0, for x in F`integerBits`, 0 to 5 of them. */
export function logisticOf(raw: number, integerBits: number): number {
  if (raw === 0) return 2 ** 30;
  const positive = reciprocalOfOnePlus(expOfNegative(-Math.abs(raw), integerBits));
  return raw > 0 ? positive : INT32_MAX - positive;
}

/** `tanh`: in F0, for x in F`integerBits`, 0 to 4 of them. */
export function tanhOf(raw: number, integerBits: number): number {
  if (raw === 0) return 0;
  // tanh|x| = (1 - e) / (1 + e) = 2 / (1 + e) - 1 with e = exp(-2|x|); the same raw with one more integer bit is 2|x|.
  const e = expOfNegative(-Math.abs(raw), integerBits + 1);
  const positive = saturatingShiftLeft(twiceReciprocalOfOnePlus(e) - ONE_F2, 2);
  return raw > 0 ? positive : -positive;
}
