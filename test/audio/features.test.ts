/** The front-end's integers: against real numbers, and the same in TypeScript, on the host and on emulated cores. */
import { describe, expect, it, vi } from 'vitest';
import { FeatureExtractor, quantizeFeature } from '../../src/audio/features.ts';
import { clipSamples, type FrontEnd, frameWidth } from '../../src/audio/front-end.ts';
import { quantizationOf } from '../../src/audio/tables.ts';
import { asBytes } from '../../src/core/dtype.ts';
import { inputsOf } from '../../src/data/inputs.ts';
import { runFirmware } from '../../src/run/execute.ts';
import { buildFirmware } from '../../src/run/firmware.ts';
import { canRun } from '../support/firmware.ts';
import { frontEndRequest, QUANTIZATION } from './firmware.ts';
import { featuresInFloat } from './float-front-end.ts';
import { FRONT_ENDS } from './front-ends.ts';
import { SIGNALS } from './signals.ts';

vi.setConfig({ testTimeout: 120_000 });

const names = Object.keys(SIGNALS);
const clipsFor = (frontEnd: FrontEnd): Int16Array[] =>
  names.map((name) => SIGNALS[name]!(clipSamples(frontEnd)));

/** What the firmware of `frontEndRequest` writes: frames, up to whole words, and logarithms. */
function inTypeScript(frontEnd: FrontEnd, clip: Int16Array): [Int8Array, Int32Array] {
  const quantization = quantizationOf(QUANTIZATION.scale, QUANTIZATION.zeroPoint)!;
  const features = new FeatureExtractor(frontEnd).clip(clip);
  return [
    Int8Array.from(features, (feature) => quantizeFeature(feature, quantization)),
    new FeatureExtractor({ ...frontEnd, coefficients: 0 }).clip(clip),
  ];
}

async function inC(frontEnd: FrontEnd, core: string, edit?: readonly [string, string]) {
  const request = frontEndRequest(frontEnd, core, edit && { edit });
  // A planted fault may well be undefined behaviour; what is shipped must not be.
  const firmware = await buildFirmware({ ...request, ...(core === 'host' && !edit && { sanitize: true }) });
  const clips = clipsFor(frontEnd).map((clip) => [asBytes(clip)]);
  const { outputs } = await runFirmware(firmware, clips);
  const count = frontEnd.frames * frameWidth(frontEnd);
  return outputs.map(([frames, logarithms]): [Int8Array, Int32Array] => [
    new Int8Array(frames!.slice(0, count).buffer),
    new Int32Array(logarithms!.slice().buffer),
  ]);
}

for (const core of ['host', 'cortex-m4', 'cortex-m0plus', 'rv32imac']) {
  describe.runIf(canRun(core))(`in C on ${core}`, () => {
    // A Cortex-M0's machine has 16 kB of RAM.
    const all = Object.entries(FRONT_ENDS).filter(([name]) => name !== 'long' || core !== 'cortex-m0plus');
    it.each(all)('gives the same as in TypeScript: %s', async (_, frontEnd) => {
      const clips = clipsFor(frontEnd);
      for (const [i, outputs] of (await inC(frontEnd, core)).entries()) {
        expect(outputs, names[i]).toEqual(inTypeScript(frontEnd, clips[i]!));
      }
    });
  });
}

describe.runIf(canRun('host'))('faults are seen', () => {
  const { keywords, digits } = FRONT_ENDS as { keywords: FrontEnd; digits: FrontEnd };
  it.each([
    ['a rounding less', digits, 'cosine + (int64_t)im * sine + (1 << 21)', 'cosine + (int64_t)im * sine'],
    ['a sign in a butterfly', digits, 'difference_i - (cr - dr)', 'difference_i + (cr - dr)'],
    ['a table read one too far', digits, 'position >> 9) & 0xffffu', 'position >> 8) & 0xffffu'],
    ['a line too many', digits, 'line < F->edges[segment + 1]', 'line <= F->edges[segment + 1]'],
    [
      'a sample lost between frames',
      digits,
      '*filled = F->window - F->hop;',
      '*filled = F->window - F->hop - 1;',
    ],
    ['roots shifted wrongly', keywords, '(root >> (6 - even / 2))', '(root >> (5 - even / 2))'],
    ['coefficients of short logarithms', keywords, '(int64_t)spectrum[b]', '(int64_t)(spectrum[b] & ~255)'],
    ['a floor that does not scale', digits, '(uint64_t)F->floor >> scale', '(uint64_t)F->floor'],
  ])('%s', async (_, frontEnd, from, to) => {
    const expected = clipsFor(frontEnd).map((clip) => inTypeScript(frontEnd, clip));
    expect(await inC(frontEnd, 'host', [from, to])).not.toEqual(expected);
  });
});

describe('against real numbers', () => {
  /** How far all features of a signal are off, in the order of size. */
  const differences = (frontEnd: FrontEnd, signal: string): number[] => {
    const clip = SIGNALS[signal]!(clipSamples(frontEnd));
    const features = new FeatureExtractor(frontEnd).clip(clip);
    const reals = Array.from({ length: frontEnd.frames }, (_, frame) =>
      featuresInFloat(frontEnd, clip, frame * frontEnd.hop),
    ).flat();
    return reals.map((x, i) => Math.abs(features[i]! / 4096 - x)).sort((a, b) => a - b);
  };
  const inDecibels = (frontEnd: FrontEnd, signal: string): number[] => {
    const factor = (frontEnd.spectrum === 'power' ? 10 : 20) / Math.LN10;
    return differences({ ...frontEnd, coefficients: 0 }, signal).map((x) => factor * x);
  };

  it.each([
    'silence',
    'noise',
    'full-scale noise',
    'impulse',
    'speech-like',
  ])('bands are exact: %s', (signal) => {
    for (const [name, frontEnd] of Object.entries(FRONT_ENDS)) {
      // A frame of 4,095 samples leaves a transform of 32 bits less below the last bit of a sample.
      const most = name === 'long' ? 2 : 0.06;
      expect(inDecibels(frontEnd, signal).at(-1), name).toBeLessThan(most);
    }
  });

  it('gives tones their loudness, and quiet bands theirs', () => {
    for (const signal of ['tone', 'chirp', 'square wave']) {
      const sorted = inDecibels({ ...FRONT_ENDS.digits!, floor: 1e-4 }, signal);
      expect(sorted[sorted.length >> 1], signal).toBeLessThan(0.05);
      expect(sorted.at(-1), signal).toBeLessThan(0.5);
    }
  });

  it('has coefficients of a tenth of a step that int8 has', () => {
    for (const signal of ['noise', 'full-scale noise', 'impulse', 'speech-like']) {
      expect(differences(FRONT_ENDS.keywords!, signal).at(-1), signal).toBeLessThan(0.058);
    }
  });
});

describe('quantised', () => {
  it.each([0.5, 0.25, 0.5847029, 1, 0.037, 0.1, 3])('as a data set is, scale %d', (scale) => {
    const zeroPoint = 7;
    const quantization = quantizationOf(Math.fround(scale), zeroPoint)!;
    // Every feature from far below to far above what int8 holds.
    const reach = Math.ceil(140 * scale * 4096);
    const features = Int32Array.from({ length: 2 * reach }, (_, i) => i - reach);
    const input = { shape: [features.length], dtype: 'int8', scale: Math.fround(scale), zeroPoint } as const;
    const expected = inputsOf(
      { shape: input.shape, kind: 'reals' },
      input,
    )(Float32Array.from(features, (feature) => feature / 4096));
    const values = Int8Array.from(features, (feature) => quantizeFeature(feature, quantization));
    expect(values.findIndex((value, i) => value !== expected[i])).toBe(-1);
  });
});
