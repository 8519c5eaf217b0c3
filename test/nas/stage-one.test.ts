/** Stage 1: what is chosen, and how it moves with the memory. */
import { describe, expect, it } from 'vitest';
import { MCUNET, type Space } from '../../src/nas/space.ts';
import {
  type Pair,
  pairsOf,
  ranked,
  readSamples,
  type Sample,
  type SampleOrigin,
  samplesOf,
  scoreOf,
  writeSamples,
} from '../../src/nas/stage-one.ts';
import { findTarget } from '../../src/targets/index.ts';

const KiB = 1024;
const TARGET = findTarget('stm32f746');
/** As MCUNet, with fewer choices: what is drawn from it takes seconds. */
const SMALL: Space = {
  ...MCUNET,
  resolutions: [112, 160, 208],
  widths: [0.3, 0.5, 1],
  kernels: [3],
  expansions: [3, 6],
};

describe('the choice', () => {
  const drawn = pairsOf(SMALL).map((pair) => ({
    pair,
    samples: samplesOf(SMALL, pair, { samples: 40, seed: 1, target: TARGET }),
  }));
  const chosen = (sram: number, flash: number, schedule: 'whole' | 'rows'): Pair => {
    const scores = drawn.map(({ pair, samples }) => scoreOf(pair, samples, { sram, flash }, schedule));
    const { resolution, width } = ranked(scores)[0]!;
    return { resolution, width };
  };

  it('takes larger images where there is more SRAM for the same flash', () => {
    const resolutions = [96, 192, 384].map((sram) => chosen(sram * KiB, 1024 * KiB, 'whole').resolution);
    expect(resolutions).toEqual(resolutions.toSorted((a, b) => a - b));
    expect(resolutions.at(-1)).toBeGreaterThan(resolutions[0]!);
  });

  it('takes wider networks and smaller images where there is more flash for the same SRAM', () => {
    const pairs = [512, 1024, 2048].map((flash) => chosen(192 * KiB, flash * KiB, 'whole'));
    const widths = pairs.map(({ width }) => width);
    expect(widths).toEqual(widths.toSorted((a, b) => a - b));
    expect(widths.at(-1)).toBeGreaterThan(widths[0]!);
    expect(pairs.at(-1)!.resolution).toBeLessThan(pairs[0]!.resolution);
  });

  it('takes larger images where networks are streamed', () => {
    const [whole, rows] = (['whole', 'rows'] as const).map((kind) => chosen(128 * KiB, 1024 * KiB, kind));
    expect(rows!.resolution).toBeGreaterThan(whole!.resolution);
  });

  it('counts what fits, and needs no less memory for the same network streamed than whole', () => {
    for (const { pair, samples } of drawn) {
      for (const sample of samples) expect(sample.sramRows).toBeLessThan(sample.sramWhole);
      const all = scoreOf(pair, samples, { sram: Infinity, flash: Infinity }, 'whole');
      const mean = samples.reduce((sum, { macs }) => sum + macs, 0) / samples.length;
      expect(all).toMatchObject({ fitting: samples.length, meanMacs: Math.round(mean) });
      expect(scoreOf(pair, samples, { sram: 1, flash: Infinity }, 'rows').fitting).toBe(0);
    }
  });
});

const sample = (macs: number): Sample => ({ key: 'r48', macs, sramWhole: 10, sramRows: 5, flash: 10 });

it('discards pairs of which nearly nothing fits, and prefers large images among equals', () => {
  const score = (resolution: number, fitting: number, meanMacs: number) => {
    return { resolution, width: 1, samples: 1000, fitting, meanMacs, macs80: meanMacs };
  };
  const scores = [
    score(48, 19, 99),
    score(64, 20, 5),
    score(80, 1000, 5),
    score(96, 1000, 4),
    score(112, 0, 0),
  ];
  expect(ranked(scores).map(({ resolution }) => resolution)).toEqual([80, 64, 96]);
});

it('says what a fifth exceeds', () => {
  const samples = Array.from({ length: 10 }, (_, i) => sample(i + 1));
  expect(scoreOf({ resolution: 1, width: 1 }, samples, { sram: 10, flash: 10 }, 'whole').macs80).toBe(9);
});

describe('kept samples', () => {
  const origin: SampleOrigin = {
    space: 'mcunet',
    core: 'cortex-m7',
    resolution: 48,
    width: 0.2,
    samples: 2,
    seed: 1,
    version: '0',
  };
  const text = writeSamples(origin, [sample(3), sample(4)]);

  it('are read as they were', () => {
    expect(readSamples(text, origin, 'f')).toEqual([sample(3), sample(4)]);
  });

  it.each([
    ['of another seed', text, { ...origin, seed: 2 }],
    ['of another core', text, { ...origin, core: 'cortex-m4' }],
    ['too few', text.slice(0, text.lastIndexOf('r48')), origin],
    ['cut off', `${text.slice(0, -4)}\n`, origin],
    ['nothing', '', origin],
  ])('%s are refused', (_, damaged, wanted) => {
    expect(() => readSamples(damaged, wanted, 'f')).toThrow(/RV6004/);
  });
});
