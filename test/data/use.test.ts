/** Parts of data sets, and inputs made of their items. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countClasses, type Dataset, datasetOf } from '../../src/data/dataset.ts';
import { inputsOf, type ModelInput, normalisationFor, RAW, SYMMETRIC, UNIT } from '../../src/data/inputs.ts';
import { sample, shuffled, split, subset } from '../../src/data/split.ts';

/** Item i holds i. */
function numbered(labels: readonly number[]): Dataset {
  const values = Float32Array.from(labels, (_, i) => i);
  const block = { kind: 'reals', shape: [1], values, labels: Int32Array.from(labels) } as const;
  return datasetOf(block, ['a', 'b', 'c']);
}

const idsOf = (dataset: Dataset) =>
  Array.from({ length: dataset.length }, (_, i) => {
    const { values, label } = dataset.item(i);
    expect(label).toBe(dataset.labels[i]);
    return values[0]!;
  });

const anyLabels = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 60 });

describe('orders and parts', () => {
  it('shuffles all items, by the seed', () => {
    expect([...shuffled(1000, 7)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(shuffled(1000, 7)).toEqual(shuffled(1000, 7));
    expect(shuffled(1000, 7)).not.toEqual(shuffled(1000, 8));
    expect([...shuffled(0, 1)]).toEqual([]);
  });

  it('puts every item first equally often', () => {
    const counts = new Array<number>(5).fill(0);
    for (let seed = 0; seed < 5000; ++seed) counts[shuffled(5, seed)[0]!]! += 1;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('splits every class by the same share, without an item in both', () => {
    fc.assert(
      fc.property(
        anyLabels,
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.nat(99),
        (labels, share, seed) => {
          const dataset = numbered(labels);
          const { first, second } = split(dataset, share, seed);
          expect([...idsOf(first), ...idsOf(second)].sort((a, b) => a - b)).toEqual(labels.map((_, i) => i));
          for (const [label, n] of countClasses(dataset).entries()) {
            const taken = countClasses(first)[label]!;
            expect(Math.abs(taken - share * n)).toBeLessThanOrEqual(1);
            if (n > 1) expect(taken > 0 && taken < n).toBe(true);
          }
        },
      ),
    );
    const dataset = numbered(Array.from({ length: 30 }, (_, i) => i % 3));
    expect(idsOf(split(dataset, 0.5, 3).first)).toEqual(idsOf(split(dataset, 0.5, 3).first));
    expect(idsOf(split(dataset, 0.5, 3).first)).not.toEqual(idsOf(split(dataset, 0.5, 4).first));
  });

  it('samples as evenly as classes allow', () => {
    fc.assert(
      fc.property(anyLabels, fc.nat(70), fc.nat(99), (labels, count, seed) => {
        const dataset = numbered(labels);
        const few = sample(dataset, count, seed);
        expect(few.length).toBe(Math.min(count, labels.length));
        expect(new Set(idsOf(few)).size).toBe(few.length);
        const [taken, all] = [countClasses(few), countClasses(dataset)];
        const most = Math.max(...taken);
        for (const [label, n] of taken.entries()) expect(n >= most - 1 || n === all[label]).toBe(true);
      }),
    );
  });

  it('refuses positions that do not exist', () => {
    expect(() => subset(numbered([0, 1]), [2])).toThrow(RangeError);
    expect(() => split(numbered([0, 1]), 1, 0)).toThrow(RangeError);
    expect(() => subset(numbered([0, 1]), [1]).item(1)).toThrow(RangeError);
  });
});

describe('inputs', () => {
  const int8 = (scale: number, zeroPoint: number): ModelInput => ({
    ...{ shape: [1, 16, 16, 1], dtype: 'int8', scale: Math.fround(scale), zeroPoint },
  });
  const pixels = { shape: [16, 16, 1], kind: 'pixels' } as const;
  const all = Uint8Array.from({ length: 256 }, (_, p) => p);

  it('are round(pixel - 127.5) for a scale of 1 / 127.5', () => {
    const raw = inputsOf(pixels, int8(1 / 127.5, 0))(all);
    // Every pixel is a tie, which goes away from zero.
    const expected = Array.from(all, (p) => Math.min(127, p < 127.5 ? p - 128 : p - 127));
    expect([...raw]).toEqual(expected);
    expect(raw).toBeInstanceOf(Int8Array);
  });

  it('are pixel - 128 where pixels fill the range', () => {
    const expected = Array.from(all, (p) => p - 128);
    for (const input of [int8(1 / 255, -128), int8(1, -128), int8(0.0187, -13)]) {
      expect([...inputsOf(pixels, input)(all)]).toEqual(expected);
    }
    const uint8 = { ...int8(1 / 255, 0), dtype: 'uint8' } as const;
    expect([...inputsOf(pixels, uint8)(all)]).toEqual([...all]);
  });

  it('follow the scale and the zero point', () => {
    expect(normalisationFor(int8(1 / 127.5, 0))).toBe(SYMMETRIC);
    expect(normalisationFor(int8(1 / 127.5, -1))).toBe(SYMMETRIC);
    expect(normalisationFor(int8(1 / 255, -128))).toBe(UNIT);
    expect(normalisationFor(int8(1, -128))).toBe(RAW);
    expect(normalisationFor(int8(0.02, 5))).toEqual({ mean: 133, scale: Math.fround(0.02) });
  });

  it('are real numbers for float32 networks', () => {
    const real = inputsOf(pixels, { ...int8(1, 0), dtype: 'float32' })(all);
    expect(real[0]).toBe(-1);
    expect(real[255]).toBe(1);
    expect(real[255 - 102]).toBeCloseTo(0.2, 6);
  });

  it('round real numbers and stay in range', () => {
    const reals = { shape: [7], kind: 'reals' } as const;
    const raw = inputsOf(reals, { shape: [1, 7], dtype: 'int8', scale: 0.5, zeroPoint: 3 });
    expect([...raw(Float32Array.of(0, 0.24, 0.25, -0.25, 1e9, -1e9, 10))]).toEqual([
      3, 3, 4, 2, 127, -128, 23,
    ]);
  });

  it('have the shape of the items, sizes of 1 aside', () => {
    expect(() => inputsOf({ shape: [16, 8, 1], kind: 'pixels' }, int8(1, 0))).toThrow('RV4006');
    expect(() => inputsOf({ shape: [256], kind: 'reals' }, int8(1, 0))).toThrow('RV4006');
    expect(() => inputsOf({ shape: [16, 16], kind: 'reals' }, int8(1, 0))).not.toThrow();
  });
});
