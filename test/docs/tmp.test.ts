import { expect, it } from 'vitest';
import * as fp from '../../src/core/fixedpoint.ts';
import * as tr from '../../src/core/transcendental.ts';
import { OPS } from '../../src/ops/table.ts';
import { int8 } from '../../src/ops/case.ts';
const B = BigInt;
const H = (a: number, b: number) => (a === -(2 ** 31) && b === a ? 2 ** 31 - 1 : Number((B(a) * B(b) + (1n << 30n)) >> 31n));
const R = (x: number, e: number) => (e === 0 ? x : Number((B(x) - (x < 0 ? 1n : 0n) + (1n << B(e - 1))) >> B(e)));
const round = (x: number) => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
const Q = (m: number): [number, number] => {
  if (m === 0) return [0, 0];
  let s = 0, f = m; while (f >= 1) { f /= 2; s++; } while (f < 0.5) { f *= 2; s--; }
  let M = round(f * 2 ** 31); if (M === 2 ** 31) { M = 2 ** 30; s++; }
  return s < -31 ? [0, 0] : [M, s];
};
const MBQM = (x: number, M: number, s: number) => R(H(Number(B.asIntN(32, B(x) << B(Math.max(s, 0)))), M), Math.max(-s, 0));
const clampTo = (x: number, lo = -128, hi = 127) => Math.min(hi, Math.max(lo, x));
const L = (x: number, e: number) => clampTo(x * 2 ** e, -(2 ** 31), 2 ** 31 - 1);
const F = Math.fround;
const rnd = () => Math.random();
const C = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];
const exp = (a: number, k: number) => {
  if (a === 0) return 2 ** 31 - 1;
  const f = 31 - k, c = 2 ** (f - 2), u = (a & (c - 1)) - c;
  const x = L(u, k) + 2 ** 28, x2 = H(x, x), x3 = H(x2, x), x4 = H(x2, x2);
  const t = R(H(R(x4, 2) + x3, 715827883) + x2, 1);
  let r = 1895147668 + H(1895147668, x + t);
  for (let e = -2; e <= 4 && e < k; e++) if (((u - a) >> (f + e)) & 1) r = H(r, C[e + 2]!);
  return r;
};
const newton = (a: number) => {
  const h = Number((B(a) + (1n << 31n)) >> 1n); let x = 1515870810 + H(h, -1010580540);
  for (let i = 0; i < 3; i++) x = x + L(H(x, 2 ** 29 - H(h, x)), 2);
  return x;
};
const recip = (a: number) => L(newton(a), 1);
const run = (op: any, attrs: any, x: any, y: any, data: number[], n = data.length) => {
  const out = new Int8Array(n);
  op.reference({ attrs, ins: [{ ...x, data: Int8Array.from(data) }], outs: [{ ...y, data: out }] });
  return [...out];
};
const ALL = Array.from({ length: 256 }, (_, i) => i - 128);
it('primitives', () => {
  for (let i = 0; i < 20000; i++) {
    const a = Math.floor((rnd() - 0.5) * 2 ** 32), b = Math.floor((rnd() - 0.5) * 2 ** 32), e = Math.floor(rnd() * 32);
    expect(fp.roundingDoublingHighMul(a, b)).toBe(H(a, b));
    expect(fp.roundingDivideByPowerOfTwo(a, e)).toBe(R(a, e));
    const m = 2 ** (rnd() * 70 - 40), [M, s] = Q(m);
    expect(fp.quantizeMultiplier(m)).toEqual({ multiplier: M, shift: s });
    if (m <= 2 ** 30) expect(fp.requantize(a, { multiplier: M, shift: s })).toBe(MBQM(a, M, s));
    const k = Math.floor(rnd() * 6), n = -Math.floor(rnd() * 2 ** 31);
    expect(tr.expOfNegative(n, k)).toBe(exp(n, k));
    const p = Math.floor(rnd() * 2 ** 31); expect(tr.reciprocalOfOnePlus(p)).toBe(recip(p));
  }
});
it('ops', () => {
  for (let i = 0; i < 300; i++) {
    const S = F(2 ** (rnd() * 10 - 8)), So = F(S * 2 ** (rnd() * 6 - 3)), Z = Math.floor(rnd() * 256) - 128, Zo = Math.floor(rnd() * 256) - 128;
    const x = int8([256], S, Z);
    { // hard swish
      const hires = F(F(1 / 128) * S), mo = F(hires / So), mr = F(hires / F(3 / 32768));
      const [MoF, so] = Q(mo), [MrF, sr] = Q(mr);
      const half = (M: number) => Math.min(32767, Number((B(M) + 32768n) >> 16n));
      const H16 = (a: number, b: number) => (a * b + 2 ** 14) >> 15, sat = (v: number) => clampTo(v, -32768, 32767);
      if (so <= 0) {
        const want = ALL.map((q) => {
          const v = (q - Z) * 128, p = H16(v, half(MoF)); let g = v;
          if (sr > 0) g = sat(g * 2 ** (sr - 1)); g = H16(g, half(MrF)); if (sr > 0) g = sat(2 * g); if (sr < 0) g = R(g, -sr);
          g = (g + 32768) >> 1;
          return clampTo(R(sat(Math.trunc((g * p) / 2 ** 15)), -so) + Zo);
        });
        expect(run(OPS.hard_swish, {}, x, int8([256], So, Zo), ALL)).toEqual(want);
      }
    }
    { // logistic, tanh
      const [M, s] = Q(S * 2 ** 27), radius = Math.floor((15 * 2 ** 27) / 2 ** s);
      const sigma = (a: number): number => (a === 0 ? 2 ** 30 : a > 0 ? recip(exp(-a, 4)) : 2 ** 31 - 1 - sigma(-a));
      const tau = (a: number): number => (a === 0 ? 0 : a > 0 ? L(newton(exp(-a, 5)) - 2 ** 29, 2) : -tau(-a));
      const f = (g: (a: number) => number) => ALL.map((q) => { const d = q - Z; return d <= -radius ? -128 : d >= radius ? 127 : g(MBQM(d, M, s)); });
      expect(run(OPS.logistic, {}, x, int8([256], 1 / 256, -128), ALL)).toEqual(f((a) => clampTo(R(sigma(a), 23) - 128)));
      expect(run(OPS.tanh, {}, x, int8([256], 1 / 128, 0), ALL)).toEqual(f((a) => clampTo(R(tau(a), 24))));
    }
    { // softmax
      const beta = F(0.3 + rnd() * 2), n = 1 + Math.floor(rnd() * 600), q = Array.from({ length: n }, () => Math.floor(rnd() * 256) - 128);
      const m = Math.min(beta * S * 2 ** 26, 2 ** 31 - 1), [M, s] = Q(m), dmin = -Math.floor((31 * 2 ** 26) / 2 ** s), max = Math.max(...q);
      const E = (d: number) => (d >= dmin ? exp(H(d * 2 ** s, M), 5) : 0);
      const A = q.reduce((t, v) => t + R(E(v - max), 12), 0), z = Math.clz32(A), r = recip(A * 2 ** z - 2 ** 31), e = 12 - z + 31 - 8;
      expect(run(OPS.softmax, { beta }, int8([n], S, Z), int8([n], 1 / 256, -128), q)).toEqual(q.map((v) => clampTo((e > 31 ? 0 : R(H(r, E(v - max)), e)) - 128)));
    }
    { // mean
      const n = 1 + Math.floor(rnd() * 300), q = Array.from({ length: n }, () => Math.floor(rnd() * 256) - 128), A = q.reduce((a, b) => a + b, 0);
      const [M, s] = Q(S / So), k = Math.min(Math.floor(Math.log2(n)), 32, 31 + s), M2 = Number((B(M) << B(k)) / B(n));
      expect(run(OPS.mean, { axes: [0] }, int8([n], S, Z), int8([1], So, Zo), q, 1)).toEqual([clampTo(MBQM(A - Z * n, M2, s - k) + Zo)]);
    }
    { // leaky, relu
      const alpha = F(rnd() * 2 - 1), [M, s] = Q(F(S / So)), [Ma, sa] = Q(Math.abs(F(F(S * alpha) / So)));
      expect(run(OPS.leaky_relu, { alpha }, x, int8([256], So, Zo), ALL)).toEqual(ALL.map((q) => { const d = q - Z; return clampTo(Zo + (d >= 0 ? MBQM(d, M, s) : Math.sign(alpha) * MBQM(d, Ma, sa))); }));
      expect(run(OPS.relu, { clamp: [-20, 90] }, x, int8([256], So, Zo), ALL)).toEqual(ALL.map((q) => clampTo(Zo + MBQM(q - Z, M, s), -20, 90)));
    }
    { // resize
      const n = 1 + Math.floor(rnd() * 20), o = 1 + Math.floor(rnd() * 40), q = Array.from({ length: n }, () => Math.floor(rnd() * 256) - 128);
      const mode = i % 3, attrs = { alignCorners: mode === 1, halfPixelCenters: mode === 2 }, corners = mode === 1 && o > 1;
      const sc = corners ? F((n - 1) / (o - 1)) : F(n / o);
      expect(run(OPS.resize_nearest, attrs, int8([1, 1, n, 1]), int8([1, 1, o, 1]), q, o)).toEqual(
        Array.from({ length: o }, (_, v) => { const p = F(F(v + (mode === 2 ? 0.5 : 0)) * sc); return q[Math.min(n - 1, mode === 1 ? round(p) : Math.floor(p))]!; }));
      const [a, b] = corners ? [n - 1, o - 1] : [n, o], scale = Math.floor((1024 * a + Math.floor(b / 2)) / b);
      const pos = (v: number) => (mode === 2 ? v * scale + Math.floor(scale / 2) - 512 : v * scale);
      if (pos(o - 1) < 1024 * n)
      expect(run(OPS.resize_bilinear, attrs, int8([1, 1, n, 1]), int8([1, 1, o, 1]), q, o)).toEqual(
        Array.from({ length: o }, (_, v) => { const p = pos(v), low = Math.max(0, Math.trunc(p / 1024)), high = Math.min(n - 1, Math.trunc((p + 1023) / 1024)), f = p - 1024 * low;
          const A = 1024 * (q[low]! * (1024 - f) + q[high]! * f); return clampTo(Math.trunc((A + (A > 0 ? 2 ** 19 : -(2 ** 19))) / 2 ** 20)); }));
    }
  }
});
