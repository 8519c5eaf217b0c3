/** Saturated channels against wide arithmetic: the same bytes before and after, for every accumulator that can occur. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clamp, quantizeMultiplier, requantize, roundHalfAway } from '../../src/core/fixedpoint.ts';
import { type ChannelContext, coarsenSaturated } from '../../src/import/saturated-channels.ts';

const CONTEXT: ChannelContext = {
  inputScale: 0.05,
  inputZeroPoint: -128,
  outputScale: 6 / 255,
  outputZeroPoint: -128,
};

/** The result in arithmetic that has no end of int32. */
function wideResult(sum: number, scale: number, context: ChannelContext): number {
  const steps = (sum * context.inputScale * scale) / context.outputScale;
  return clamp(roundHalfAway(steps) + context.outputZeroPoint, -128, 127);
}

/** The firmware's. */
function result(sum: number, scale: number, context: ChannelContext): number {
  const m = quantizeMultiplier((context.inputScale * scale) / context.outputScale);
  return clamp(requantize(sum | 0, m) + context.outputZeroPoint, -128, 127);
}

const sumOf = (weights: Int8Array, bias: number, xs: readonly number[], zero: number) =>
  weights.reduce((sum, w, i) => sum + w * (xs[i]! - zero), bias);

describe('saturated channels', () => {
  it.each([
    ['a dead channel', -(2 ** 31), 3.937e-9, [0, 2, -5]],
    ['a constant brightness', 2 ** 31 - 1, 3.937e-9, [9, 0, -33]],
    ['a bias that only slow kernels hold', -1.2e9, 4e-9, [0, 0, 1]],
  ])('%s keeps its result within int32', (_, bias, scale, weights) => {
    const given = {
      weights: Int8Array.from(weights),
      bias: Int32Array.of(bias),
      scales: [Math.fround(scale)],
    };
    const { parameters, overflowing } = coarsenSaturated(given, CONTEXT);
    expect(overflowing).toEqual([]);
    for (const xs of [
      [-128, -128, -128],
      [127, 127, 127],
      [-128, 127, 127],
      [127, -128, -128],
      [3, 9, -70],
    ]) {
      const sum = sumOf(parameters.weights, parameters.bias[0]!, xs, -128);
      expect(Math.abs(sum)).toBeLessThan(2 ** 30);
      const wide = wideResult(sumOf(given.weights, bias, xs, -128), given.scales[0]!, CONTEXT);
      expect(result(sum, parameters.scales[0]!, CONTEXT)).toBe(wide);
    }
    expect(parameters.bias[0]! * parameters.scales[0]!).toBeCloseTo(bias * given.scales[0]!, 6);
  });

  it('leaves all others as they are', () => {
    const given = {
      weights: Int8Array.of(127, -127, 5, 3),
      bias: Int32Array.of(1e6, -(2 ** 30) + 70000),
      scales: [0.01, 4e-9].map(Math.fround),
    };
    expect(coarsenSaturated(given, CONTEXT)).toEqual({ parameters: given, overflowing: [] });
  });

  it('names the channels whose result depends on what int32 cannot hold', () => {
    const given = {
      weights: Int8Array.of(1, 100, 100),
      bias: Int32Array.of(0, 2 ** 31 - 1, 2 ** 31 - 1),
      scales: [1e-9, 2e-9, 0.02].map(Math.fround),
    };
    // Between 4.0 and 4.0001 steps: one result. At 0.02 both ends are at the upper clamp: one result, too.
    const wide = { ...CONTEXT, outputScale: 0.05 * given.scales[1]! * (2 ** 31 / 4.4999) };
    expect(coarsenSaturated(given, wide).overflowing).toEqual([1]);
  });

  it('never changes a result', () => {
    const context = fc.record({
      inputScale: fc.double({ min: 1e-3, max: 0.2, noNaN: true }),
      inputZeroPoint: fc.integer({ min: -128, max: 127 }),
      outputScale: fc.double({ min: 1e-3, max: 0.2, noNaN: true }),
      outputZeroPoint: fc.integer({ min: -128, max: 127 }),
    });
    const bias = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.constantFrom(-(2 ** 31), 2 ** 31 - 1),
    );
    const weights = fc.int8Array({ minLength: 4, maxLength: 4 });
    const inputs = fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 4, maxLength: 4 });
    const exponent = fc.double({ min: -32, max: -20, noNaN: true });
    let changed = 0;
    fc.assert(
      fc.property(context, bias, weights, exponent, inputs, (c, b, w, e, xs) => {
        const given = { weights: w, bias: Int32Array.of(b), scales: [Math.fround(2 ** e)] };
        const { parameters, overflowing } = coarsenSaturated(given, c);
        if (overflowing.length > 0 || parameters.bias[0] === b) return;
        changed += 1;
        const sum = sumOf(parameters.weights, parameters.bias[0]!, xs, c.inputZeroPoint);
        const before = wideResult(sumOf(w, b, xs, c.inputZeroPoint), given.scales[0]!, c);
        expect(result(sum, parameters.scales[0]!, c)).toBe(before);
      }),
      { numRuns: 2000, seed: 1 },
    );
    expect(changed).toBeGreaterThan(200);
  });
});
