/** What the integers of training mean in real numbers: losses, gradients and steps against double precision. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/core/random.ts';
import type { ConvolutionAttributes } from '../../src/ir/attributes.ts';
import type { Tensor } from '../../src/ops/definition.ts';
import { forEachTap } from '../../src/ops/depthwise_training/taps.ts';
import { neededShift, storeGradient } from '../../src/ops/gradient.ts';
import { OPS } from '../../src/ops/table.ts';
import { stepFactors, Update } from '../../src/ops/update.ts';

const int32 = (...values: number[]): Tensor => ({
  shape: [values.length],
  dtype: 'int32',
  data: Int32Array.from(values),
});

function bytes(shape: readonly number[], seed: number, scale?: number): Tensor {
  const random = createRandom(seed);
  const data = Int8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 256 * random() - 128);
  const quantization =
    scale === undefined ? undefined : { scales: [Math.fround(scale)], zeroPoints: [0], axis: 0 };
  return { shape, dtype: 'int8', data, ...(quantization && { quantization }) };
}

const zeros = (shape: readonly number[]): Tensor => ({
  ...bytes(shape, 0),
  data: bytes(shape, 0)
    .data.slice()
    .fill(0 as never),
});

/** Cross-entropy of a softmax. */
function loss(logits: readonly number[], label: number): number {
  const largest = Math.max(...logits);
  return Math.log(logits.reduce((sum, x) => sum + Math.exp(x - largest), 0)) + largest - logits[label]!;
}

const realLogits = ({ data, quantization }: Tensor): number[] =>
  Array.from(data as Int8Array, (q) => q * quantization!.scales[0]!);

describe.each([
  [2, 0.02],
  [10, 0.08],
  [10, 0.5],
  [1000, 1e-4],
  [1000, 0.1],
])('a softmax of %i classes, scale %f', (classes, scale) => {
  const samples = Array.from({ length: 20 }, (_, seed) => ({
    logits: bytes([1, classes], seed, scale),
    label: (seed * 7) % classes,
  }));

  it('has a loss within 2^-16 + 5 classes 2^-24 + 2^-17', () => {
    for (const { logits, label } of samples) {
      const out: Tensor = { shape: [1], dtype: 'float32', data: new Float32Array(1) };
      OPS.softmax_cross_entropy_loss.reference({ attrs: {}, ins: [logits, int32(label)], outs: [out] });
      const bound = 2 ** -16 + 2 ** -17 + 5 * classes * 2 ** -24;
      expect(Math.abs(Number(out.data[0]!) - loss(realLogits(logits), label))).toBeLessThan(bound);
    }
  });

  it('has the gradient of that loss, to a unit', () => {
    for (const { logits, label } of samples.slice(0, 5)) {
      const [out, state] = [zeros(logits.shape), int32(0, 0)];
      OPS.quantized_softmax_cross_entropy_gradient.reference({
        ...{ attrs: {}, ins: [logits, int32(label), state], outs: [out] },
      });
      const unit = 2 ** Number(state.data[0]!);
      const real = realLogits(logits);
      for (let j = 0; j < Math.min(classes, 20); ++j) {
        const moved = (by: number): number => loss(real.with(j, real[j]! + by), label);
        const slope = (moved(1e-4) - moved(-1e-4)) / 2e-4;
        expect(Math.abs(Number(out.data[j]!) * unit - slope)).toBeLessThan(unit + 1e-6);
      }
    }
  });
});

it('a gradient fills seven bits, whatever its size', () => {
  expect([0, 127, 128, 255, 256, 511, 512, 2 ** 30].map(neededShift)).toEqual([0, 0, 1, 1, 2, 2, 3, 24]);
  expect([-1, -128, -129, -256, -257, -(2 ** 30)].map(neededShift)).toEqual([0, 0, 1, 1, 2, 23]);
});

it('what is below a unit of a gradient is there on average', () => {
  const [shift, count] = [14, 4096];
  for (const part of [-0.9, -0.3, 0.02, 0.1, 0.25, 0.5]) {
    // One large element decides about the unit; the others are a small part of it, and differ a little.
    const accumulators = Int32Array.from({ length: count + 1 }, (_, i) => {
      return i === count ? 127 * 2 ** shift : Math.round(part * 2 ** shift) + i - count / 2;
    });
    const [out, state] = [zeros([count + 1]), int32(0, shift)];
    storeGradient(accumulators, 0, out, state);
    expect(Number(state.data[0]!)).toBe(shift);
    const sum = Array.from(out.data, Number).reduce((all, g) => all + g, -127);
    expect(Math.abs(sum / count - part)).toBeLessThan(0.02);
  }
});

const ATTRS: ConvolutionAttributes = {
  stride: [2, 1],
  dilation: [1, 1],
  padding: [1, 1, 1, 1],
  clamp: [-128, 127],
};
const X_SHAPE = [1, 7, 6, 5];
const Y_SHAPE = [1, 4, 6, 5];
const SCALES = [0.01, 0.02, 0.003, 0.015, 0.02].map(Math.fround);
const WEIGHTS: Tensor = {
  ...bytes([1, 3, 3, 5], 3),
  quantization: { scales: SCALES, zeroPoints: [0, 0, 0, 0, 0], axis: 3 },
};

it('the gradient of an input is that of the real convolution, to a unit', () => {
  const g = bytes(Y_SHAPE, 4);
  const [out, state] = [zeros(X_SHAPE), int32(0, 0)];
  const ins = [g, int32(-9, 0), null, WEIGHTS, null, null, state];
  OPS.quantized_depthwise_conv2d_input_gradient.reference({ attrs: ATTRS, ins, outs: [out] });
  const real = new Float64Array(out.data.length);
  forEachTap(ATTRS, X_SHAPE, WEIGHTS.shape, Y_SHAPE, (x, w, y) => {
    for (let c = 0; c < 5; ++c) {
      real[x * 5 + c]! +=
        Number(g.data[y * 5 + c]!) * 2 ** -9 * Number(WEIGHTS.data[w * 5 + c]!) * SCALES[c]!;
    }
  });
  const unit = 2 ** Number(state.data[0]!);
  // Half a unit of rounding, and factors that differ from the scales by half a 64th at most of the largest.
  const largest = real.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  real.forEach((value, i) => {
    expect(Math.abs(Number(out.data[i]!) * unit - value)).toBeLessThan(0.5 * unit + largest / 64);
  });
  expect(Math.max(...Array.from(out.data as Int8Array, Math.abs))).toBeGreaterThanOrEqual(64);
});

describe('a step', () => {
  const updateOf = (more = {}) =>
    new Update({
      random: int32(1),
      ...{ velocity: null, pending: null, apply: null, momentum: 0, fraction: 0 },
      ...more,
    });

  it.each([0, 4, 8])('of float gradient descent on average, with %i bits below', (fraction) => {
    for (const accumulator of [7, -7, 1234, -99999]) {
      const update = updateOf({ fraction });
      const step = update.step(0.01, 3.7, -12)!;
      const draws = 20000;
      let sum = 0;
      for (let i = 0; i < draws; ++i) sum += update.movement(0, accumulator, step);
      const wanted = -accumulator * 2 ** -12 * 0.01 * 3.7 * 2 ** fraction;
      // Five deviations of the mean of draws that differ by one, and 16 bits of mantissa.
      expect(Math.abs(sum / draws - wanted)).toBeLessThan(
        2.5 / Math.sqrt(draws) + Math.abs(wanted) * 2 ** -14,
      );
    }
  });

  it('waits in a batch, and goes on by its velocity', () => {
    const [pending, velocity, apply] = [int32(0), int32(0), int32(0)];
    const update = updateOf({ pending, velocity, apply, momentum: 16384 });
    const step = update.step(1, 1, 0)!;
    expect([3, 4].map((accumulator) => update.movement(0, accumulator, step))).toEqual([0, 0]);
    expect(Number(pending.data[0]!)).toBe(-7 * 65536);
    apply.data[0] = 1;
    expect(update.movement(0, 1, step)).toBe(-8);
    expect([Number(pending.data[0]!), Number(velocity.data[0]!)]).toEqual([0, -8 * 65536]);
    expect(update.movement(0, 0, step)).toBe(-4);
  });

  it.each([
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 0],
    [3e38, 100],
    [1e-45, 1],
    [0, 1],
  ])('of rate %f and factor %f is none', (rate, factor) => {
    const random = int32(1);
    expect(updateOf({ random }).step(rate, factor, 0)).toBeUndefined();
    const pending = int32(5);
    const waiting = updateOf({ random, pending, apply: int32(0) });
    expect(waiting.movement(0, 1000, waiting.step(rate, factor, 0)!)).toBe(0);
    expect(Number(pending.data[0]!)).toBe(5);
  });

  it('has factors that are finite', () => {
    const reals = [1, Number.NaN, Number.POSITIVE_INFINITY, 2e30];
    expect([...stepFactors(4, (o) => reals[o]!)]).toEqual([1, 0, 0, 0]);
  });

  it('moves a weight and the bits below it together, and says what it clamps', () => {
    const [w, residual] = [
      { ...bytes([3], 1), data: Int8Array.of(5, -127, 126) },
      { shape: [2], dtype: 'uint8', data: Uint8Array.of(0x98, 0x0f) } as const,
    ];
    const update = updateOf({ fraction: 4 });
    const clamped = [-10, -10, 16].map((movement, i) => {
      update.moveWeight(w, residual, i, movement);
      return update.clamped;
    });
    expect(clamped).toEqual([0, 1, 1]);
    expect([...w.data]).toEqual([4, -127, 127]);
    expect([...residual.data]).toEqual([0x0e, 0x0f]);
  });
});
