/**
 * A step of stochastic gradient descent on integers: delta = -rate * K * real gradient, in units of the parameter, rounded
 * stochastically. What is too small for the rounding of a single step survives in its expectation, and in residuals.
 */
import type { Tensor } from './definition.ts';

const INT32 = 2n ** 31n;
/** Fraction bits of velocities and of gradients that wait for the end of a batch. */
const WAITING_BITS = 16;

/** What an update reads and keeps; the arrays are changed in place. */
export interface StepOperands {
  /** int32 [1], the state of the generator. */
  readonly random: Tensor;
  /** float32 [1] */
  readonly rate: Tensor;
  /** int32 by element. */
  readonly velocity: Tensor | null | undefined;
  readonly pending: Tensor | null | undefined;
  /** int32 [1]; 0: gradients are only added to `pending`. */
  readonly apply: Tensor | null | undefined;
  /** Of the velocity, 15 fraction bits. */
  readonly momentum: number;
  /** Of the gradient that accumulators count in. */
  readonly exponent: number;
}

/** rate * K as mantissa * 2^exponent, 16 bits of mantissa, truncated; 0 for what is not finite, or denormal. */
export function decompose(rate: number, k: number): { mantissa: number; exponent: number } {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, Math.fround(rate) * Math.fround(k));
  const word = bits.getUint32(0);
  const biased = (word >>> 23) & 255;
  if (biased === 0 || biased === 255) return { mantissa: 0, exponent: 0 };
  const magnitude = 0x8000 | ((word >>> 8) & 0x7fff);
  return { mantissa: word >>> 31 === 1 ? -magnitude : magnitude, exponent: biased - 142 };
}

/** The factors K of a parameter's channels in float32; those that are not finite or exceed 1e30 are 0: no step. */
export function stepFactors(reals: readonly number[]): Float32Array {
  return Float32Array.from(reals, (k) => (Math.abs(k) <= 1e30 ? k : 0));
}

export class Stepper {
  private readonly operands: StepOperands;
  private readonly rate: number;

  constructor(operands: StepOperands) {
    this.operands = operands;
    this.rate = Number(operands.rate.data[0]!);
  }

  /**
   * What element `i` of the parameter changes by, in units of 2^-bits of it.
   * @param accumulator of its gradient, int32
   * @param k the factor K of its channel
   */
  delta(i: number, accumulator: number, k: number, bits: number): number {
    const { velocity, pending, apply, momentum, exponent } = this.operands;
    const step = decompose(this.rate, k);
    const shift = -(step.exponent + exponent);
    const product = BigInt(-accumulator) * BigInt(step.mantissa);
    if (!velocity && !pending) return Number(this.round(product, shift - bits));
    let change = this.round(product, shift - WAITING_BITS);
    if (pending) {
      change = saturated(change + BigInt(pending.data[i]!));
      const applies = Number(apply?.data[0] ?? 1) !== 0;
      pending.data[i] = applies ? 0 : Number(change);
      if (!applies) return 0;
    }
    if (velocity) {
      change = saturated(((BigInt(velocity.data[i]!) * BigInt(momentum)) >> 15n) + change);
      velocity.data[i] = Number(change);
    }
    return Number(this.round(change, WAITING_BITS - bits));
  }

  /** value * 2^-shift, rounded up with the probability of the bits that go, saturated to int32. */
  private round(value: bigint, shift: number): bigint {
    const draw = BigInt(this.draw());
    if (shift > 62) return 0n;
    if (shift <= 0) return saturated(value << BigInt(Math.min(-shift, 62)));
    const dither = shift >= 16 ? draw << BigInt(shift - 16) : draw >> BigInt(16 - shift);
    return saturated((value + dither) >> BigInt(shift));
  }

  /** The upper 16 bits of the generator's next state. */
  private draw(): number {
    const { data } = this.operands.random;
    data[0] = (Math.imul(Number(data[0]!), 1664525) + 1013904223) | 0;
    return Number(data[0]) >>> 16;
  }
}

function saturated(value: bigint): bigint {
  return value >= INT32 ? INT32 - 1n : value < -INT32 ? -INT32 : value;
}

/** Changes weight `i`, an int8 and the bits below it, by delta * 2^-bits; whether it had to be clamped. */
export function stepWeight(
  weights: Tensor,
  residual: Tensor | null | undefined,
  bits: number,
  i: number,
  delta: number,
): boolean {
  const [unit, place] = [2 ** bits, bits === 4 ? i >> 1 : i];
  const low = bits === 4 ? 4 * (i & 1) : 0;
  const byte = bits === 0 ? 0 : Number(residual!.data[place]!);
  const wanted = Number(weights.data[i]!) * unit + ((byte >> low) & (unit - 1)) + delta;
  const value = Math.max(-127 * unit, Math.min(127 * unit + unit - 1, wanted));
  weights.data[i] = Math.floor(value / unit);
  if (bits > 0) residual!.data[place] = (byte & ~((unit - 1) << low)) | ((value & (unit - 1)) << low);
  return value !== wanted;
}
