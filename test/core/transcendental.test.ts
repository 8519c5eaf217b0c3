import { describe, expect, test } from 'vitest';
import { createRandom } from '../../src/core/random.ts';
import { expOfNegative, logisticOf, reciprocalOfOnePlus, tanhOf } from '../../src/core/transcendental.ts';

/** gemmlowp's own formulation on BigInt: truncating division with a nudge, masks and 64-bit intermediates. */
const MAX = 2n ** 31n - 1n;
const MIN = -(2n ** 31n);
const saturate = (x: bigint): bigint => (x > MAX ? MAX : x < MIN ? MIN : x);

function multiply(a: bigint, b: bigint): bigint {
  if (a === MIN && b === MIN) return MAX;
  const product = a * b;
  const nudge = product >= 0n ? 1n << 30n : 1n - (1n << 30n);
  return (product + nudge) / (1n << 31n);
}

function divideByPower(x: bigint, exponent: bigint): bigint {
  const mask = (1n << exponent) - 1n;
  const threshold = (mask >> 1n) + (x < 0n ? 1n : 0n);
  return (x >> exponent) + ((x & mask) > threshold ? 1n : 0n);
}

const constant = (real: number): bigint => BigInt(Math.round(real * 2 ** 31));

function expBigInt(a: bigint, k: bigint): bigint {
  const fraction = 31n - k;
  const quarter = 1n << (fraction - 2n);
  const modulo = (a & (quarter - 1n)) - quarter;
  const x = saturate(modulo << k) + (1n << 28n);
  const x2 = multiply(x, x);
  const x3 = multiply(x2, x);
  const x4 = multiply(x2, x2);
  const tail = divideByPower(multiply(divideByPower(x4, 2n) + x3, constant(1 / 3)) + x2, 1n);
  const base = constant(Math.exp(-1 / 8));
  let result = saturate(base + multiply(base, x + tail));
  for (let e = -2n; e <= 4n; ++e) {
    if (k <= e) break;
    const bit = 1n << (fraction + e);
    if ((modulo - a) & bit) result = multiply(result, constant(Math.exp(-(2 ** Number(e)))));
  }
  return a === 0n ? MAX : result;
}

function newton(a: bigint): { half: bigint; x: bigint } {
  const half = (a + MAX + 1n) / 2n;
  let x = BigInt(Math.round((48 / 17) * 2 ** 29)) + multiply(half, BigInt(Math.round((-32 / 17) * 2 ** 29)));
  for (let i = 0; i < 3; ++i) x += saturate(multiply(x, (1n << 29n) - multiply(half, x)) << 2n);
  return { half, x };
}

const reciprocalBigInt = (a: bigint): bigint => saturate(newton(a).x << 1n);
const magnitude = (a: bigint): bigint => (a < 0n ? -a : a);

function logisticBigInt(a: bigint, k: bigint): bigint {
  if (a === 0n) return 1n << 30n;
  const positive = reciprocalBigInt(expBigInt(-magnitude(a), k));
  return a > 0n ? positive : MAX - positive;
}

function tanhBigInt(a: bigint, k: bigint): bigint {
  if (a === 0n) return 0n;
  const x = newton(expBigInt(-magnitude(a), k + 1n)).x;
  const positive = saturate((x - (1n << 29n)) << 2n);
  return a > 0n ? positive : -positive;
}

/** Raws that matter at the edges, and random ones of every magnitude. */
function raws(): number[] {
  const random = createRandom(7);
  const edges = [
    0,
    1,
    2,
    3,
    2 ** 24,
    2 ** 25 - 1,
    2 ** 25,
    2 ** 26,
    2 ** 28 - 1,
    2 ** 30,
    2 ** 31 - 2,
    2 ** 31 - 1,
  ];
  const spread = Array.from({ length: 4000 }, (_, i) => Math.floor(random() * 2 ** (1 + (i % 31))));
  return [...edges, ...spread];
}

describe('fixed-point functions are gemmlowp bit for bit', () => {
  test.each([0, 1, 2, 3, 4, 5])('exp of F%i', (k) => {
    for (const raw of [...raws().map((x) => -x), -(2 ** 31)]) {
      expect(BigInt(expOfNegative(raw, k)), `exp(${raw})`).toBe(expBigInt(BigInt(raw), BigInt(k)));
    }
  });

  test('reciprocal', () => {
    for (const raw of raws()) {
      expect(BigInt(reciprocalOfOnePlus(raw)), `reciprocal(${raw})`).toBe(reciprocalBigInt(BigInt(raw)));
    }
  });

  test.each([0, 1, 2, 3, 4])('logistic and tanh of F%i', (k) => {
    for (const raw of raws().flatMap((x) => [x, -x])) {
      expect(BigInt(logisticOf(raw, k)), `logistic(${raw})`).toBe(logisticBigInt(BigInt(raw), BigInt(k)));
      expect(BigInt(tanhOf(raw, k)), `tanh(${raw})`).toBe(tanhBigInt(BigInt(raw), BigInt(k)));
    }
  });
});

describe('fixed-point functions approximate the real ones', () => {
  const real = (raw: number, k: number): number => raw * 2 ** (k - 31);
  test('within the error of the Taylor series, (1/8)^5 / 120', () => {
    for (const raw of raws()) {
      expect(Math.abs(real(expOfNegative(-raw, 5), 0) - Math.exp(real(-raw, 5)))).toBeLessThan(2 ** -21);
      expect(Math.abs(real(reciprocalOfOnePlus(raw), 0) - 1 / (1 + real(raw, 0)))).toBeLessThan(2 ** -21);
      expect(Math.abs(real(logisticOf(raw, 4), 0) - 1 / (1 + Math.exp(-real(raw, 4))))).toBeLessThan(
        2 ** -21,
      );
      expect(Math.abs(real(tanhOf(raw, 4), 0) - Math.tanh(real(raw, 4)))).toBeLessThan(2 ** -20);
    }
  });
});
