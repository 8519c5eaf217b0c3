import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asBytes } from '../../src/core/dtype.ts';
import { createRandom, fnv1a } from '../../src/core/random.ts';
import { datasetOf } from '../../src/data/dataset.ts';
import { Batches, readItems } from '../../src/train/batches.ts';
import type { Augmentation } from '../../src/train/recipe.ts';
import { NO_AUGMENTATION } from '../support/augmentation.ts';

const SHAPE = [5, 7, 2] as const;
const SIZE = 70;
const COUNT = 12;

const pixels = createRandom(1);
const values = Uint8Array.from({ length: COUNT * SIZE }, () => 1 + Math.floor(pixels() * 255));
const labels = Int32Array.from({ length: COUNT }, (_, i) => i % 3);
const items = readItems(datasetOf({ kind: 'pixels', shape: SHAPE, values, labels }, ['a', 'b', 'c']), SHAPE);
const ORDER = Uint32Array.from({ length: COUNT }, (_, i) => COUNT - 1 - i);

function filled(size: number, first: number, augmentation?: Augmentation, seed?: number) {
  const places = { image: new Float32Array(size * SIZE), labels: new Int32Array(size) };
  const count = new Batches(items, places).fill(ORDER, first, augmentation, seed);
  return { ...places, count };
}

/** Element (y, x, c) of item i as the network takes it. */
const real = (i: number, y: number, x: number, c: number): number =>
  Math.fround((values[i * SIZE + (y * 7 + x) * 2 + c]! - 127.5) / 127.5);

describe('a batch', () => {
  it('has the items of the order, and no class behind its end', () => {
    const { image, labels: found, count } = filled(4, 10);
    expect(count).toBe(2);
    expect([...found]).toEqual([labels[1], labels[0], -1, -1]);
    expect(image[SIZE + (2 * 7 + 3) * 2 + 1]).toBeCloseTo(real(0, 2, 3, 1), 6);
  });

  it('moves, mirrors and cuts each picture in one of the ways that the recipe allows', () => {
    const augmentation = fc.record({
      brightness: fc.constant(0),
      contrast: fc.constant(0),
      sounds: fc.constant(NO_AUGMENTATION.sounds),
      shift: fc.integer({ min: 0, max: 3 }),
      flip: fc.boolean(),
      cutout: fc.constantFrom(0, 0, 3),
    });
    fc.assert(
      fc.property(augmentation, fc.nat(), (how, seed) => {
        const { image } = filled(COUNT, 0, how, seed);
        for (let place = 0; place < COUNT; ++place) {
          const found = image.subarray(place * SIZE, (place + 1) * SIZE);
          expect(waysTo(found, ORDER[place]!, how), `picture ${place}`).toBeGreaterThan(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('uses all ways', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 300; ++seed) {
      const { image } = filled(1, 0, { ...NO_AUGMENTATION, shift: 1, flip: true }, seed);
      seen.add(image.join());
    }
    expect(seen.size).toBe(18);
  });

  it('draws for an item the same wherever it stands, and another time by another seed', () => {
    const how = { ...NO_AUGMENTATION, shift: 2, flip: true, cutout: 2 };
    const whole = filled(COUNT, 0, how, 3).image;
    expect(filled(4, 5, how, 3).image).toEqual(whole.subarray(5 * SIZE, 9 * SIZE));
    expect(filled(COUNT, 0, how, 4).image).not.toEqual(whole);
  });
});

describe('light', () => {
  const plain = filled(1, 0).image;
  const lit = (how: Partial<Augmentation>): Float32Array[] =>
    Array.from({ length: 200 }, (_, seed) => filled(1, 0, { ...NO_AUGMENTATION, ...how }, seed).image);
  const range = (x: readonly number[]): [number, number] => [Math.min(...x), Math.max(...x)];

  it('adds the same to all pixels, as far as black and white', () => {
    const added = lit({ brightness: 0.3 }).map((image) => {
      const [by] = image.map((x, i) => x - plain[i]!).filter((_, i) => Math.abs(plain[i]!) < 0.6);
      for (const [i, x] of image.entries()) {
        expect(x).toBeCloseTo(Math.max(-1, Math.min(1, plain[i]! + by!)), 6);
      }
      return by!;
    });
    const [least, most] = range(added);
    expect(least).toBeGreaterThan(-0.3);
    expect(least).toBeLessThan(-0.28);
    expect(most).toBeLessThan(0.3);
    expect(most).toBeGreaterThan(0.28);
  });

  it('multiplies all pixels by the same', () => {
    const factors = lit({ contrast: 0.5 }).map((image) => {
      const [by] = image.map((x, i) => x / plain[i]!).filter((_, i) => Math.abs(plain[i]! - 0.4) < 0.2);
      for (const [i, x] of image.entries()) {
        expect(x).toBeCloseTo(Math.max(-1, Math.min(1, plain[i]! * by!)), 5);
      }
      return by!;
    });
    const [least, most] = range(factors);
    expect(least).toBeGreaterThan(0.5);
    expect(least).toBeLessThan(0.52);
    expect(most).toBeLessThan(1.5);
    expect(most).toBeGreaterThan(1.48);
  });

  it('changes nothing that is drawn besides where the recipe does not ask for it', () => {
    const how = { ...NO_AUGMENTATION, shift: 2, flip: true, cutout: 2 };
    expect(filled(COUNT, 0, { ...how, brightness: 1e-9 }, 1).image).not.toEqual(
      filled(COUNT, 0, how, 1).image,
    );
    expect(fnv1a(asBytes(filled(COUNT, 0, how, 1).image))).toBe(AS_BEFORE_LIGHT);
  });
});

/** Of the batch as it was before there was light: results of old recipes stay what they are. */
const AS_BEFORE_LIGHT = 3533342651;

/** How many shifts, with or without a mirror, explain a picture; what is 0 inside may have been cut. */
function waysTo(found: Float32Array, item: number, { shift, flip, cutout }: Augmentation): number {
  let ways = 0;
  for (const mirrored of flip ? [false, true] : [false]) {
    for (let down = -shift; down <= shift; ++down) {
      for (let across = -shift; across <= shift; ++across) {
        let cut = 0;
        const fits = found.every((value, i) => {
          const [y, x, c] = [
            Math.floor(i / 14) + down,
            (mirrored ? 6 - ((i >> 1) % 7) : (i >> 1) % 7) + across,
            i & 1,
          ];
          const inside = y >= 0 && y < 5 && x >= 0 && x < 7;
          const wanted = inside ? real(item, y, x, c) : 0;
          if (Math.abs(value - wanted) < 1e-6) return true;
          cut += 1;
          return value === 0;
        });
        if (fits && cut <= cutout * cutout * 2) ways += 1;
      }
    }
  }
  return ways;
}
