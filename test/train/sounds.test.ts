/** What recipes do to sounds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeatureExtractor, featureReals } from '../../src/audio/features.ts';
import { clipSamples } from '../../src/audio/front-end.ts';
import { createRandom } from '../../src/core/random.ts';
import { Batches, readItems } from '../../src/train/batches.ts';
import type { SoundAugmentation } from '../../src/train/recipe.ts';
import { disturbClip, maskFeatures } from '../../src/train/sounds.ts';
import { FRONT_ENDS } from '../audio/front-ends.ts';
import { SIGNALS } from '../audio/signals.ts';
import { NO_AUGMENTATION } from '../support/augmentation.ts';

const NONE = NO_AUGMENTATION.sounds;
const RATE = 8000;
const clip = SIGNALS['speech-like']!(2000);
const rms = (x: ArrayLike<number>): number =>
  Math.sqrt(Array.from(x).reduce((sum, v) => sum + v * v, 0) / x.length);
const disturbed = (how: Partial<SoundAugmentation>, seed: number): Int16Array =>
  disturbClip(clip, { ...NONE, ...how }, RATE, createRandom(seed));

describe('a clip', () => {
  it('stays as it is where the recipe wants nothing', () => {
    expect(disturbed({}, 1)).toEqual(clip);
  });

  it('begins up to so many milliseconds earlier or later, with silence', () => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 200; ++seed) {
      const found = disturbed({ shift: 1 }, seed);
      const later = Array.from({ length: 17 }, (_, i) => i - 8).filter((by) =>
        found.every((x, i) => x === (clip[i - by] ?? 0)),
      );
      expect(later, `seed ${seed}`).toHaveLength(1);
      seen.add(later[0]!);
    }
    expect(seen.size).toBe(17);
  });

  it('is louder or softer by up to so many decibels', () => {
    const gains = Array.from({ length: 100 }, (_, seed) => {
      const found = disturbed({ gain: 12 }, seed);
      expect(found.every((x, i) => x * clip[i]! >= 0)).toBe(true);
      return 20 * Math.log10(rms(found.slice(0, 400)) / rms(clip.slice(0, 400)));
    });
    expect(Math.max(...gains)).toBeGreaterThan(11);
    expect(Math.max(...gains)).toBeLessThan(12.1);
    expect(Math.min(...gains)).toBeLessThan(-11);
    expect(Math.min(...gains)).toBeGreaterThan(-12.6);
  });

  it('that gets too loud is cut off', () => {
    const loud = SIGNALS.chirp!(500);
    for (let seed = 0; seed < 20; ++seed) {
      const found = disturbClip(loud, { ...NONE, gain: 20, noise: 0.01 }, RATE, createRandom(seed));
      expect(found.every((x, i) => Math.abs(loud[i]!) < 12000 || x * loud[i]! > 0)).toBe(true);
    }
  });

  it('has noise of up to so much', () => {
    const noises = Array.from({ length: 100 }, (_, seed) => {
      const found = disturbed({ noise: 0.01 }, seed);
      return rms(found.map((x, i) => x - clip[i]!)) / 32768;
    });
    expect(Math.max(...noises)).toBeGreaterThan(0.0095);
    expect(Math.max(...noises)).toBeLessThan(0.0103);
    expect(Math.min(...noises)).toBeLessThan(0.0005);
  });
});

describe('masks', () => {
  const [height, width] = [7, 5];
  const plain = Float32Array.from({ length: height * width }, (_, i) => i * i);
  const mean = plain.reduce((sum, x) => sum + x, 0) / plain.length;

  it('hide a stretch of frames and one of bands, and nothing else', () => {
    fc.assert(
      fc.property(fc.nat(9), fc.nat(9), fc.nat(), (frames, bands, seed) => {
        const found = plain.slice();
        maskFeatures(found, width, { ...NONE, frames, bands }, createRandom(seed));
        const hidden = (y: number, x: number) => found[y * width + x] !== plain[y * width + x];
        const [rows, columns] = [
          [...Array(height).keys()].filter((y) => [...Array(width).keys()].every((x) => hidden(y, x))),
          [...Array(width).keys()].filter((x) => [...Array(height).keys()].every((y) => hidden(y, x))),
        ];
        for (const [i, value] of found.entries()) {
          const [y, x] = [Math.floor(i / width), i % width];
          if (value !== plain[i]) {
            expect(value).toBe(Math.fround(mean));
            expect(rows.includes(y) || columns.includes(x)).toBe(true);
          }
        }
        const connected = (at: number[]) => at.length === 0 || at.at(-1)! - at[0]! === at.length - 1;
        expect(connected(rows) && connected(columns)).toBe(true);
        if (columns.length < width) expect(rows.length).toBeLessThanOrEqual(frames);
        if (rows.length < height) expect(columns.length).toBeLessThanOrEqual(bands);
      }),
    );
  });

  it('lie anywhere and are of all lengths', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 2000; ++seed) {
      const found = plain.slice();
      maskFeatures(found, width, { ...NONE, frames: 2, bands: 1 }, createRandom(seed));
      seen.add(found.map((value, i) => Number(value !== plain[i])).join());
    }
    // None, 7 of one frame, 6 of two; none, or 5 of one band.
    expect(seen.size).toBe(14 * 6);
  });
});

describe('a batch of sounds', () => {
  const frontEnd = { ...FRONT_ENDS.digits!, frames: 9 };
  const shape = [9, 32, 1] as const;
  const names = ['noise', 'speech-like', 'chirp', 'impulse'];
  const clips = names.map((name) => SIGNALS[name]!(clipSamples(frontEnd)));
  const items = readItems(
    {
      ...{ classes: ['a', 'b'], shape: [9, 32], kind: 'sounds', frontEnd, length: 4 },
      labels: Int32Array.of(0, 1, 0, 1),
      item: (i) => ({ values: clips[i]!, label: i % 2 }),
    },
    shape,
  );
  const filled = (order: number[], augmentation?: typeof NO_AUGMENTATION, seed?: number) => {
    const places = { image: new Float32Array(288 * order.length), labels: new Int32Array(order.length) };
    new Batches(items, places).fill(Uint32Array.from(order), 0, augmentation, seed);
    return places;
  };
  const all = { ...NO_AUGMENTATION, sounds: { shift: 50, gain: 6, noise: 0.01, frames: 3, bands: 4 } };

  it('has what the front-end makes of them', () => {
    const { image, labels } = filled([2, 1]);
    expect([...labels]).toEqual([0, 1]);
    const features = new FeatureExtractor(frontEnd);
    expect([...image]).toEqual([2, 1].flatMap((i) => [...featureReals(features.clip(clips[i]!))]));
    expect(filled([2, 1], NO_AUGMENTATION, 3).image).toEqual(image);
  });

  it('has what the front-end makes of the samples that were disturbed', () => {
    const how = { ...NO_AUGMENTATION, sounds: { ...NONE, shift: 30, gain: 9, noise: 0.01 } };
    const random = createRandom(Math.imul(7, 0x9e3779b1) + 1);
    const clipAsHeard = disturbClip(clips[1]!, how.sounds, frontEnd.rate, random);
    expect(filled([1], how, 7).image).toEqual(featureReals(new FeatureExtractor(frontEnd).clip(clipAsHeard)));
  });

  it('has masks over features', () => {
    const how = { ...NO_AUGMENTATION, sounds: { ...NONE, frames: 3, bands: 4 } };
    const { image } = filled([1], how, 7);
    const plain = filled([1]).image;
    const changed = image.filter((x, i) => x !== plain[i]).length;
    expect(changed).toBeGreaterThan(0);
    expect(changed).toBeLessThanOrEqual(3 * 32 + 4 * 9);
  });

  it('draws for a sound the same wherever it stands, and another time by another seed', () => {
    const whole = filled([3, 0, 1, 2], all, 5).image;
    expect(filled([1, 2], all, 5).image).toEqual(whole.subarray(2 * 288));
    expect(filled([3, 0, 1, 2], all, 6).image).not.toEqual(whole);
  });
});
