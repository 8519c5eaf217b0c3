/** Real factors as small integers with common fraction bits, for products with int8 gradients in int32. */
import { LARGEST_ACCUMULATOR } from './gradient.ts';

/** The real factor i is factors[i] * 2^-fraction. */
export interface Factors {
  readonly factors: Int8Array;
  readonly fraction: number;
}

/**
 * factors[i] = round(reals[i] * 2^fraction) with the largest `fraction` for which none exceeds 127 and sums of `terms`
 * products of a factor, an int8 gradient and an int8 weight are below `LARGEST_ACCUMULATOR`. `reals` are finite and not negative.
 */
export function factorsOf(reals: readonly number[], terms: number): Factors {
  const largest = reals.reduce((most, real) => Math.max(most, real), 0);
  if (largest === 0) return { factors: new Int8Array(reals.length), fraction: 0 };
  let fraction = Math.ceil(Math.log2(128 / largest)) + 1;
  const most = (): number => Math.round(largest * 2 ** fraction);
  while (most() > 127 || 128 * 127 * terms * most() >= LARGEST_ACCUMULATOR) --fraction;
  return { factors: Int8Array.from(reals, (real) => Math.round(real * 2 ** fraction)), fraction };
}
