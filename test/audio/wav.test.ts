/** WAV files and rates. */
import { describe, expect, it } from 'vitest';
import { fitClip, resample } from '../../src/audio/resample.ts';
import { readWav } from '../../src/audio/wav.ts';
import { createRandom } from '../../src/core/random.ts';
import { type WavFormat, wavFile } from './wav-file.ts';

describe('a WAV file', () => {
  const samples = [0, 0.5, -0.5, 0.25, -1, 0.75];

  it.each([
    { bits: 8 },
    { bits: 16 },
    { bits: 24 },
    { bits: 32 },
    { bits: 32, float: true },
    { bits: 64, float: true },
    { bits: 24, extensible: true },
    { bits: 16, extra: 7 },
    { bits: 16, claims: 0xffffffff },
  ] as WavFormat[])('is read: %o', (format) => {
    expect(readWav(wavFile(samples, format), 'x.wav')).toEqual({
      rate: 16000,
      samples: Float64Array.from(samples),
    });
  });

  it('has its channels mixed', () => {
    const { samples: mixed } = readWav(wavFile(samples, { channels: 2, rate: 44100 }), 'x.wav');
    expect([...mixed]).toEqual([0.25, -0.125, -0.125]);
  });

  const good = wavFile(samples);
  it.each([
    ['not a WAV file', Buffer.from('hello')],
    ['not a WAV file', Buffer.alloc(0)],
    ['does not say', good.subarray(0, 20)],
    ['ends before its samples', good.subarray(0, 40)],
    ['ends after 10 of 12 bytes', good.subarray(0, good.length - 2)],
    ['holds no samples', wavFile([])],
    ['format 1 with 12 bits', Buffer.from(good).fill(12, 34, 35)],
    ['format 17 with 16 bits', Buffer.from(good).fill(17, 20, 21)],
    ['0 channels', Buffer.from(good).fill(0, 22, 23)],
    ['0 samples a second', Buffer.from(good).fill(0, 24, 28)],
    ['sample 1 is NaN', wavFile([0, Number.NaN], { bits: 32, float: true })],
  ])('is refused: %s', (says, bytes) => {
    expect(() => readWav(new Uint8Array(bytes), 'x.wav')).toThrow(says);
    expect(() => readWav(new Uint8Array(bytes), 'x.wav')).toThrow('RV4002');
  });

  it('that is damaged anywhere is read or refused, and nothing else', () => {
    const random = createRandom(5);
    for (let i = 0; i < 3000; ++i) {
      const bytes = new Uint8Array(wavFile(samples, { bits: 24, extra: 3, extensible: i % 2 === 0 }));
      for (let flips = 0; flips < 3; ++flips) bytes[Math.floor(random() * bytes.length)] = random() * 256;
      const cut = bytes.subarray(0, Math.ceil(random() * 2 * bytes.length));
      try {
        expect(readWav(cut, 'x.wav').samples.every(Number.isFinite)).toBe(true);
      } catch (error) {
        expect(String(error)).toContain('RV4002');
      }
    }
  });
});

describe('another rate', () => {
  const sine = (length: number, hertz: number, rate: number): Float64Array =>
    Float64Array.from({ length }, (_, n) => Math.sin((2 * Math.PI * hertz * n) / rate + 0.3));

  it.each([
    [44100, 16000, 1000],
    [48000, 16000, 7000],
    [8000, 16000, 3500],
    [22050, 8000, 440],
    [16000, 11025, 4800],
    [44101, 16000, 3000],
  ])('keeps what both can hold: %d to %d, %d Hz', (from, to, hertz) => {
    const output = resample(sine(from / 5, hertz, from), from, to);
    const expected = sine(output.length, hertz, to);
    const middle = output.slice(200, -200);
    expect(middle.length).toBeGreaterThan(500);
    // 80 dB: one part in ten thousand.
    const worst = middle.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i + 200]!)), 0);
    expect(worst).toBeLessThan(1e-4);
  });

  it('takes away what the lower one cannot hold', () => {
    const output = resample(sine(9000, 9000, 44100), 44100, 16000);
    expect(output.slice(200, -200).every((x) => Math.abs(x) < 1e-4)).toBe(true);
    expect(resample(sine(90, 100, 8000), 8000, 8000)).toEqual(sine(90, 100, 8000));
  });

  it('keeps a constant', () => {
    const output = resample(new Float64Array(4000).fill(0.5), 44100, 16000);
    expect(output.slice(100, -100).every((x) => Math.abs(x - 0.5) < 1e-9)).toBe(true);
  });
});

it('fits clips by their middle', () => {
  expect([...fitClip(Float64Array.of(0.5, -0.5), 5)]).toEqual([0, 16384, -16384, 0, 0]);
  expect([...fitClip(Float64Array.of(1, -1, 0.25, 2, -2), 3)]).toEqual([-32768, 8192, 32767]);
});
