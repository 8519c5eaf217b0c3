/**
 * Fixed-point arithmetic of TFLite's reference kernels (gemmlowp), on JavaScript numbers, exact for every int32.
 * docs/numerics.md is the normative text; the C twins live in runtime/rivulet.h.
 */

const TWO_31 = 2147483648;
export const INT32_MAX = 2147483647;
export const INT32_MIN = -2147483648;

/** A real multiplier m ≈ multiplier * 2^(shift - 31), multiplier in [2^30, 2^31) or 0. */
export interface Multiplier {
  readonly multiplier: number;
  readonly shift: number;
}

/** C's frexp for finite x > 0: x = fraction * 2^exponent, fraction in [0.5, 1). */
export function frexp(x: number): { fraction: number; exponent: number } {
  let exponent = Math.max(-1023, Math.floor(Math.log2(x)) + 1);
  let fraction = x * 2 ** -exponent;
  while (fraction < 0.5) {
    fraction *= 2;
    --exponent;
  }
  while (fraction >= 1) {
    fraction /= 2;
    ++exponent;
  }
  return { fraction, exponent };
}

/** QuantizeMultiplier of TFLite (`quantization_util.cc`), for finite m >= 0 or its mirror image for m < 0. */
export function quantizeMultiplier(m: number): Multiplier {
  if (m === 0) return { multiplier: 0, shift: 0 };
  const { fraction, exponent } = frexp(Math.abs(m));
  let multiplier = Math.floor(fraction * TWO_31 + 0.5);
  let shift = exponent;
  if (multiplier === TWO_31) {
    multiplier /= 2;
    ++shift;
  }
  if (shift < -31) return { multiplier: 0, shift: 0 };
  return { multiplier: m < 0 ? -multiplier : multiplier, shift };
}

/** SaturatingRoundingDoublingHighMul: (a * b + 2^30) >> 31 for int32 a and b; ties go up. */
export function roundingDoublingHighMul(a: number, b: number): number {
  if (a === INT32_MIN && b === INT32_MIN) return INT32_MAX;
  // a * b has up to 62 bits: split a into 16-bit halves so that every product and sum stays below 2^53.
  const high = (a >> 16) * b;
  const carry = Math.floor(high / 32768);
  return carry + Math.floor(((high - carry * 32768) * 65536 + (a & 0xffff) * b + 1073741824) / TWO_31);
}

/** RoundingDivideByPOT: x / 2^exponent, ties away from zero; 0 <= exponent <= 31. */
export function roundingDivideByPowerOfTwo(x: number, exponent: number): number {
  if (exponent === 0) return x;
  return Math.floor((x - (x < 0 ? 1 : 0) + 2 ** (exponent - 1)) / 2 ** exponent);
}

/** MultiplyByQuantizedMultiplier with double rounding; x * 2^left wraps at 32 bits as it does in C. */
export function requantize(x: number, m: Multiplier): number {
  const shifted = m.shift > 0 ? (m.shift > 31 ? 0 : x << m.shift) : x;
  const high = roundingDoublingHighMul(shifted, m.multiplier);
  return m.shift < 0 ? roundingDivideByPowerOfTwo(high, -m.shift) : high;
}

export function clamp(x: number, lowest: number, highest: number): number {
  return Math.min(Math.max(x, lowest), highest);
}

/** C's round(): to nearest, halves away from zero. */
export function roundHalfAway(x: number): number {
  return x < 0 ? -Math.floor(-x + 0.5) : Math.floor(x + 0.5);
}

/** x * 2^exponent saturated to int32 (gemmlowp's SaturatingRoundingMultiplyByPOT for positive exponents). */
export function saturatingShiftLeft(x: number, exponent: number): number {
  return clamp(x * 2 ** exponent, INT32_MIN, INT32_MAX);
}
