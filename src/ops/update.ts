/**
 * Steps of trained parameters, the meaning of runtime/rivulet_update.h. docs/training-numerics.md has the arithmetic.
 */
import type { Value } from '../ir/types.ts';
import type { SlotSpec, Tensor } from './definition.ts';
import { isPerTensor } from './quantization.ts';
import { wholeTensor } from './rows.ts';

const INT32_MAX = 2 ** 31 - 1;

/** d = acc * mantissa / 2^shift */
export interface Step {
  readonly mantissa: number;
  readonly shift: number;
}

/** -rate * factor * 2^exponent with 16 bits of the float32 product, truncated; mantissa 0 where it is not finite. */
export function stepOf(rate: number, factor: number, exponent: number): Step {
  const [bits] = new Uint32Array(Float32Array.of(Math.fround(rate * factor)).buffer) as unknown as [number];
  const biased = (bits >>> 23) & 255;
  if (biased === 0 || biased === 255) return { mantissa: 0, shift: 0 };
  const magnitude = ((bits & 0x7fffff) | 0x800000) >> 8;
  return { mantissa: bits >>> 31 === 0 ? -magnitude : magnitude, shift: 127 + 15 - biased - exponent };
}

/** The generator of all stochastic rounding: its state is the data of `random`, int32 [1]. */
export class Draws {
  private readonly state: Tensor;

  constructor(state: Tensor) {
    this.state = state;
  }

  /** 16 random bits. */
  next(): number {
    const x = (Math.imul(Number(this.state.data[0]), 1664525) + 1013904223) >>> 0;
    this.state.data[0] = x | 0;
    return x >>> 16;
  }
}

function saturated(x: number): number {
  return Math.max(-INT32_MAX, Math.min(INT32_MAX, x));
}

/** acc * mantissa / 2^shift, rounded up with the probability of what is cut off; r: 16 random bits. */
export function scaleStep(acc: number, { mantissa, shift }: Step, r: number): number {
  const product = acc * mantissa;
  if (shift > 62) return 0;
  if (shift <= 0) return saturated(product * 2 ** Math.min(31, -shift));
  const random = shift >= 16 ? BigInt(r) << BigInt(shift - 16) : BigInt(r >> (16 - shift));
  return saturated(Number((BigInt(product) + random) >> BigInt(shift)));
}

/** Operands of an update that not every scheme has. */
export interface UpdateState {
  readonly velocity: Tensor | null;
  readonly pending: Tensor | null;
  readonly apply: Tensor | null;
  readonly random: Tensor;
  /** 15 fraction bits. */
  readonly momentum: number;
  /** Bits of a parameter behind its unit. */
  readonly fraction: number;
}

/** Moves the elements of one parameter tensor. */
export class Update {
  /** Elements that met a bound. */
  clamped = 0;
  private readonly state: UpdateState;
  private readonly draws: Draws;

  constructor(state: UpdateState) {
    this.state = state;
    this.draws = new Draws(state.random);
  }

  /** The step of a channel whose gradient has `exponent`; undefined: there is nothing to do, and nothing is drawn. */
  step(rate: number, factor: number, exponent: number): Step | undefined {
    const { velocity, pending, fraction } = this.state;
    const addsUp = velocity !== null || pending !== null;
    const step = stepOf(rate, factor, exponent + (addsUp ? 16 : fraction));
    return step.mantissa === 0 && !addsUp ? undefined : step;
  }

  /** How far element i moves, with `fraction` bits. */
  movement(i: number, acc: number, step: Step): number {
    const { velocity, pending, apply, momentum, fraction } = this.state;
    let d = scaleStep(acc, step, this.draws.next());
    if (velocity === null && pending === null) return d;
    if (pending !== null) {
      const sum = saturated(Number(pending.data[i]) + d);
      pending.data[i] = sum;
      if (Number(apply?.data[0] ?? 1) === 0) return 0;
      d = sum;
      pending.data[i] = 0;
    }
    if (velocity !== null) {
      d = saturated(Math.floor((Number(velocity.data[i]) * momentum) / 32768) + d);
      velocity.data[i] = d;
    }
    return Math.floor((d + (this.draws.next() >> fraction)) / 2 ** (16 - fraction));
  }

  /** Moves weight i, an int8 whose residual has `fraction` bits. */
  moveWeight(weights: Tensor, residual: Tensor | null, i: number, movement: number): void {
    const { fraction } = this.state;
    const one = 2 ** fraction;
    const at = fraction === 4 ? i >> 1 : i;
    const nibble = fraction === 4 ? 4 * (i & 1) : 0;
    const byte = fraction === 0 ? 0 : Number(residual!.data[at]);
    const value = saturated(Number(weights.data[i]) * one + ((byte >> nibble) & (one - 1)) + movement);
    const bounded = Math.max(-127 * one, Math.min(128 * one - 1, value));
    this.clamped += Number(bounded !== value);
    weights.data[i] = Math.floor(bounded / one);
    if (fraction > 0) {
      residual!.data[at] = (byte & ~((one - 1) << nibble)) | ((bounded & (one - 1)) << nibble);
    }
  }
}

/** Real scale of output channel o. */
export function channelScale(weights: Value | Tensor, o: number): number {
  return weights.quantization!.scales[isPerTensor(weights) ? 0 : o]!;
}

/** Factors beyond this are no use to anybody: the channel is dead. */
const LARGEST_FACTOR = 1e30;

/** float32 by channel, 0 where a scale is 0 or vanishes. */
export function stepFactors(count: number, factorOf: (o: number) => number): Float32Array {
  return Float32Array.from({ length: count }, (_, o) => {
    const factor = factorOf(o);
    return Math.abs(factor) <= LARGEST_FACTOR ? factor : 0;
  });
}

/**
 * Real factors by channel as small integers: m[o] * 2^-bits, with the most bits for which no m exceeds 127 and
 * 128 * 127 * `total(m)` stays below 2^31.
 */
export function channelFactors(
  scales: readonly number[],
  total: (m: Int32Array) => number,
): { factors: Uint8Array; bits: number } {
  const most = Math.max(...scales);
  let bits = most > 0 ? Math.floor(Math.log2(127.5 / most)) + 1 : 0;
  for (;;) {
    const factors = Int32Array.from(scales, (s) => Math.round(s * 2 ** bits));
    if (Math.max(...factors) <= 127 && 128 * 127 * total(factors) < 2 ** 31) {
      return { factors: Uint8Array.from(factors), bits };
    }
    --bits;
  }
}

/** Slots for the operands that are there, and by name the index of each one's slot, -1 for those that are not. */
export function optionalSlots<K extends string>(
  operands: Readonly<Record<K, readonly [operand: number, value: Value | null | undefined]>>,
): { slots: SlotSpec[]; indices: Readonly<Record<K, number>> } {
  const slots: SlotSpec[] = [];
  const indices = {} as Record<K, number>;
  for (const name of Object.keys(operands) as K[]) {
    const [operand, value] = operands[name];
    indices[name] = value ? slots.length : -1;
    if (value) slots.push({ operand, ...wholeTensor(value) });
  }
  return { slots, indices };
}
