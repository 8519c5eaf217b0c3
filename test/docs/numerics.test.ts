/**
 * The formulas of docs/numerics.md, transcribed as they stand there, against the references: the text and the code say the
 * same. Names are those of the page; integers that exceed 53 bits are BigInt.
 */
import { describe, expect, it } from 'vitest';
import * as fixed from '../../src/core/fixedpoint.ts';
import { createRandom } from '../../src/core/random.ts';
import * as transcendental from '../../src/core/transcendental.ts';
import type { NodeAttributes, OpName } from '../../src/ir/attributes.ts';
import type { TensorType } from '../../src/ir/types.ts';
import { int8 } from '../../src/ops/case.ts';
import type { OpDef } from '../../src/ops/definition.ts';
import { OPS } from '../../src/ops/table.ts';

const random = createRandom(1);
const below = (limit: number): number => Math.floor(random() * limit);
const byte = (): number => below(256) - 128;
const bytes = (count: number): number[] => Array.from({ length: count }, byte);
const ALL = Array.from({ length: 256 }, (_, i) => i - 128);
const TRIES = 200;

const { fround, floor, trunc, min, max, abs } = Math;
const round = (x: number): number => Math.sign(x) * floor(abs(x) + 0.5);
const clamp = (x: number, lo = -128, hi = 127): number => min(hi, max(lo, x));
const shiftRight = (x: bigint, bits: number): number => Number(x >> BigInt(bits));

// Section 1
function quantized(m: number): [M: number, s: number] {
  if (m === 0) return [0, 0];
  let [f, s] = [m, 0];
  for (; f >= 1; f /= 2) ++s;
  for (; f < 0.5; f *= 2) --s;
  let M = round(f * 2 ** 31);
  if (M === 2 ** 31) [M, s] = [2 ** 30, s + 1];
  return s < -31 ? [0, 0] : [M, s];
}
const H = (a: number, b: number): number => shiftRight(BigInt(a) * BigInt(b) + 2n ** 30n, 31);
const R = (x: number, e: number): number =>
  e === 0 ? x : shiftRight(BigInt(x) - (x < 0 ? 1n : 0n) + 2n ** BigInt(e - 1), e);
const MBQM = (x: number, [M, s]: readonly [number, number]): number => {
  const shifted = Number(BigInt.asIntN(32, BigInt(x) << BigInt(max(s, 0))));
  return R(H(shifted, M), max(-s, 0));
};

// Section 5
const L = (x: number, e: number): number => clamp(x * 2 ** e, -(2 ** 31), 2 ** 31 - 1);
const C = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];
function exp(a: number, k: number): number {
  if (a === 0) return 2 ** 31 - 1;
  const f = 31 - k;
  const c = 2 ** (f - 2);
  const u = (a & (c - 1)) - c;
  const x = L(u, k) + 2 ** 28;
  const x2 = H(x, x);
  const [x3, x4] = [H(x2, x), H(x2, x2)];
  const t = R(H(R(x4, 2) + x3, 715827883) + x2, 1);
  let r = 1895147668 + H(1895147668, x + t);
  for (let e = -2; e <= 4 && e < k; ++e) if (((u - a) >> (f + e)) & 1) r = H(r, C[e + 2]!);
  return r;
}
function newton(a: number): number {
  const h = shiftRight(BigInt(a) + 2n ** 31n, 1);
  let x = 1515870810 + H(h, -1010580540);
  for (let step = 0; step < 3; ++step) x = x + L(H(x, 2 ** 29 - H(h, x)), 2);
  return x;
}
const reciprocal = (a: number): number => L(newton(a), 1);
function sigma(a: number): number {
  if (a === 0) return 2 ** 30;
  return a > 0 ? reciprocal(exp(-a, 4)) : 2 ** 31 - 1 - sigma(-a);
}
function tau(a: number): number {
  if (a === 0) return 0;
  return a > 0 ? L(newton(exp(-a, 5)) - 2 ** 29, 2) : -tau(-a);
}

interface Quantized {
  readonly S: number;
  readonly Z: number;
}

const quantization = (S = fround(2 ** (random() * 8 - 7))): Quantized => ({ S, Z: byte() });
const typeOf = (shape: readonly number[], { S, Z }: Quantized): TensorType => int8(shape, S, Z);

/** The reference's result, as plain numbers. */
function reference<K extends OpName>(
  op: K,
  attrs: NodeAttributes[K],
  inputs: readonly (readonly [TensorType, readonly number[]])[],
  output: TensorType,
): number[] {
  const ins = inputs.map(([type, data]) => ({ ...type, data: Int8Array.from(data) }));
  const y = { ...output, data: new Int8Array(output.shape.reduce((a, b) => a * b, 1)) };
  const definition: OpDef<K> = OPS[op];
  definition.reference({ attrs, ins, outs: [y] });
  return [...y.data];
}

/** Compares an operator of one byte for all bytes and many quantisations; null: refused, so without a meaning. */
function everyByte<K extends OpName>(
  op: K,
  attrs: NodeAttributes[K],
  formula: (x: Quantized, y: Quantized) => ((q: number) => number) | null,
  result = () => quantization(),
): void {
  for (let i = 0; i < TRIES; ++i) {
    const [x, y] = [quantization(), result()];
    const expected = formula(x, y);
    if (expected === null) continue;
    expect(reference(op, attrs, [[typeOf([256], x), ALL]], typeOf([256], y))).toEqual(ALL.map(expected));
  }
}

it('1: primitives', () => {
  for (let i = 0; i < 5000; ++i) {
    const [a, b] = [below(2 ** 32) - 2 ** 31 + 1, below(2 ** 32) - 2 ** 31];
    expect(fixed.roundingDoublingHighMul(a, b)).toBe(H(a, b));
    const e = below(32);
    expect(fixed.roundingDivideByPowerOfTwo(a, e)).toBe(R(a, e));
    const [M, s] = quantized(2 ** (random() * 70 - 40));
    expect(fixed.requantize(a, { multiplier: M, shift: s })).toBe(MBQM(a, [M, s]));
    const m = 2 ** (random() * 70 - 40);
    const { multiplier, shift } = fixed.quantizeMultiplier(m);
    expect([multiplier, shift]).toEqual(quantized(m));
  }
});

describe('3: element-wise', () => {
  const binary = (op: 'add' | 'sub' | 'mul' | 'prelu', formula: typeof sumFormula): void => {
    for (let i = 0; i < TRIES; ++i) {
      const [A, B, Y] = [quantization(), quantization(), quantization()];
      const [a, b] = [bytes(64), bytes(64)];
      const ins = [[typeOf([64], A), a] as const, [typeOf([64], B), b] as const];
      const attrs = op === 'prelu' ? {} : { clamp: [-128, 127] as const };
      const evaluate = formula(op, A, B, Y);
      expect(reference<OpName>(op, attrs as NodeAttributes['add'], ins, typeOf([64], Y))).toEqual(
        a.map((q, k) => clamp(evaluate(q, b[k]!) + Y.Z)),
      );
    }
  };
  function sumFormula(op: string, A: Quantized, B: Quantized, Y: Quantized) {
    const width = op === 'sub' ? fround : (x: number) => x;
    const t = width(2 * max(A.S, B.S));
    const [ma, mb, mo] = [A.S / t, B.S / t, t / (2 ** 20 * Y.S)].map((m) => quantized(width(m)));
    return (a: number, b: number) => {
      const [va, vb] = [MBQM((a - A.Z) * 2 ** 20, ma!), MBQM((b - B.Z) * 2 ** 20, mb!)];
      return MBQM(op === 'sub' ? va - vb : va + vb, mo!);
    };
  }
  it('ADD', () => binary('add', sumFormula));
  it('SUB', () => binary('sub', sumFormula));
  it('MUL', () =>
    binary('mul', (_, A, B, Y) => {
      const m = quantized((A.S * B.S) / Y.S);
      return (a, b) => MBQM((a - A.Z) * (b - B.Z), m);
    }));
  it('PRELU', () =>
    binary('prelu', (_, A, B, Y) => {
      const [m1, m2] = [quantized(A.S / Y.S), quantized((A.S * B.S) / Y.S)];
      return (a, b) => (a >= A.Z ? MBQM(a - A.Z, m1) : MBQM((a - A.Z) * (b - B.Z), m2));
    }));

  it('RELU', () =>
    everyByte('relu', { clamp: [-20, 90] }, (x, y) => {
      const m = quantized(fround(x.S / y.S));
      return (q) => clamp(y.Z + MBQM(q - x.Z, m), -20, 90);
    }));

  it.each([0.3, -0.7, 1.5].map(fround))('LEAKY_RELU of %f', (alpha) =>
    everyByte('leaky_relu', { alpha }, (x, y) => {
      const m = quantized(fround(x.S / y.S));
      const ma = quantized(abs(fround(fround(x.S * alpha) / y.S)));
      return (q) => clamp(y.Z + (q >= x.Z ? MBQM(q - x.Z, m) : Math.sign(alpha) * MBQM(q - x.Z, ma)));
    }));

  it('HARD_SWISH', () =>
    everyByte('hard_swish', {}, (X, Y) => {
      const hires = fround(fround(1 / 128) * X.S);
      const [Mo, so] = quantized(fround(hires / Y.S));
      const [Mr, sr] = quantized(fround(hires / fround(3 / 32768)));
      const half = (M: number): number => min(32767, shiftRight(BigInt(M) + 2n ** 15n, 16));
      const H16 = (a: number, b: number): number => (a * b + 2 ** 14) >> 15;
      const sat = (x: number): number => clamp(x, -32768, 32767);
      if (so > 0) return null;
      return (q) => {
        const x = (q - X.Z) * 128;
        const p = H16(x, half(Mo));
        let g = x;
        if (sr > 0) g = sat(g * 2 ** (sr - 1));
        g = H16(g, half(Mr));
        if (sr > 0) g = sat(2 * g);
        if (sr < 0) g = R(g, -sr);
        g = (g + 32768) >> 1;
        return clamp(R(sat(trunc((g * p) / 2 ** 15)), -so) + Y.Z);
      };
    }));
});

it('4: MEAN', () => {
  for (let i = 0; i < TRIES; ++i) {
    const [x, y] = [quantization(), quantization()];
    const n = 1 + below(300);
    const values = bytes(n);
    const A = values.reduce((sum, q) => sum + q, 0);
    const [M, s] = quantized(x.S / y.S);
    const k = min(floor(Math.log2(n)), 32, 31 + s);
    const divided = Number((BigInt(M) << BigInt(k)) / BigInt(n));
    const expected = clamp(MBQM(A - x.Z * n, [divided, s - k]) + y.Z);
    expect(reference('mean', { axes: [0] }, [[typeOf([n], x), values]], typeOf([1], y))).toEqual([expected]);
  }
});

describe('5: exponentials', () => {
  it('exp and 1 / (1 + a)', () => {
    for (let i = 0; i < 2000; ++i) {
      const [a, k] = [below(2 ** 31), below(6)];
      expect(transcendental.expOfNegative(-a, k)).toBe(exp(-a, k));
      expect(transcendental.reciprocalOfOnePlus(a)).toBe(reciprocal(a));
    }
  });

  const saturating = (x: Quantized, inside: (a: number) => number): ((q: number) => number) => {
    const [M, s] = quantized(x.S * 2 ** 27);
    const radius = floor((15 * 2 ** 27) / 2 ** s);
    return (q) => {
      const d = q - x.Z;
      if (d <= -radius) return -128;
      return d >= radius ? 127 : clamp(inside(MBQM(d, [M, s])));
    };
  };
  it('LOGISTIC', () => {
    const result = () => ({ S: 1 / 256, Z: -128 });
    everyByte('logistic', {}, (x) => saturating(x, (a) => R(sigma(a), 23) - 128), result);
  });
  it('TANH', () => {
    everyByte(
      'tanh',
      {},
      (x) => saturating(x, (a) => R(tau(a), 24)),
      () => ({ S: 1 / 128, Z: 0 }),
    );
  });

  it('SOFTMAX', () => {
    for (let i = 0; i < TRIES; ++i) {
      const x = quantization();
      const beta = fround(0.3 + 2 * random());
      const values = bytes(1 + below(600));
      const [M, s] = quantized(min(beta * x.S * 2 ** 26, 2 ** 31 - 1));
      const dmin = -floor((31 * 2 ** 26) / 2 ** s);
      const E = (d: number): number => (d >= dmin ? exp(H(d * 2 ** s, M), 5) : 0);
      const most = max(...values);
      const A = values.reduce((sum, q) => sum + R(E(q - most), 12), 0);
      const z = Math.clz32(A);
      const r = reciprocal(A * 2 ** z - 2 ** 31);
      const e = 12 - z + 31 - 8;
      const shape = [values.length];
      const y = int8(shape, 1 / 256, -128);
      expect(reference('softmax', { beta }, [[typeOf(shape, x), values]], y)).toEqual(
        values.map((q) => clamp((e > 31 ? 0 : R(H(r, E(q - most)), e)) - 128)),
      );
    }
  });
});

describe('6: resizing', () => {
  const modes = [
    { alignCorners: false, halfPixelCenters: false },
    { alignCorners: true, halfPixelCenters: false },
    { alignCorners: false, halfPixelCenters: true },
  ];
  const eachSize = (check: (values: number[], inSize: number, outSize: number) => void): void => {
    for (let i = 0; i < TRIES; ++i) {
      const [inSize, outSize] = [1 + below(20), 1 + below(40)];
      check(bytes(inSize), inSize, outSize);
    }
  };
  const line = (size: number): TensorType => int8([1, 1, size, 1]);
  const indices = (size: number): number[] => Array.from({ length: size }, (_, o) => o);

  it.each(modes)('nearest, $alignCorners, $halfPixelCenters', (attrs) =>
    eachSize((values, n, size) => {
      const corners = attrs.alignCorners && size > 1;
      const scale = corners ? fround((n - 1) / (size - 1)) : fround(n / size);
      const expected = indices(size).map((o) => {
        const p = fround(fround(o + (attrs.halfPixelCenters ? 0.5 : 0)) * scale);
        return values[min(n - 1, attrs.alignCorners ? round(p) : floor(p))]!;
      });
      expect(reference('resize_nearest', attrs, [[line(n), values]], line(size))).toEqual(expected);
    }));

  it.each(modes)('bilinear, $alignCorners, $halfPixelCenters', (attrs) =>
    eachSize((values, n, size) => {
      const [a, b] = attrs.alignCorners && size > 1 ? [n - 1, size - 1] : [n, size];
      const scale = floor((1024 * a + floor(b / 2)) / b);
      const expected = indices(size).map((o) => {
        const p = attrs.halfPixelCenters ? o * scale + floor(scale / 2) - 512 : o * scale;
        const low = max(0, trunc(p / 1024));
        const high = min(n - 1, trunc((p + 1023) / 1024));
        const f = p - 1024 * low;
        const A = 1024 * (values[low]! * (1024 - f) + values[high]! * f);
        return clamp(trunc((A + (A > 0 ? 2 ** 19 : -(2 ** 19))) / 2 ** 20)) + 0;
      });
      expect(reference('resize_bilinear', attrs, [[line(n), values]], line(size))).toEqual(expected);
    }));
});
