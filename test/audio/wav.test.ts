/** WAV files, rates, and data sets of sound. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FeatureExtractor } from '../../src/audio/features.ts';
import { clipSamples } from '../../src/audio/front-end.ts';
import { fitClip, resample } from '../../src/audio/resample.ts';
import { readWav } from '../../src/audio/wav.ts';
import { createRandom } from '../../src/core/random.ts';
import { countClasses } from '../../src/data/dataset.ts';
import { openData } from '../../src/data/open.ts';
import { openClips, openSounds } from '../../src/data/sounds.ts';
import { DataFolder, problemOf } from '../data/files.ts';
import { FRONT_ENDS } from './front-ends.ts';

const folder = new DataFolder();
afterAll(folder.remove);

interface Format {
  readonly bits?: number;
  readonly float?: boolean;
  readonly channels?: number;
  readonly rate?: number;
  readonly extensible?: boolean;
  /** Bytes of a chunk in front of the data. */
  readonly extra?: number;
  /** What the data chunk says its size is. */
  readonly claims?: number;
}

/** A file of samples from -1 to 1, channels in turn. */
function wavFile(samples: readonly number[], format: Format = {}): Uint8Array {
  const { bits = 16, float = false, channels = 1, rate = 16000, extensible = false, extra = 0 } = format;
  const tag = float ? 3 : 1;
  const data = Buffer.alloc((samples.length * bits) / 8);
  for (const [i, x] of samples.entries()) {
    const at = (i * bits) / 8;
    if (float) bits === 32 ? data.writeFloatLE(x, at) : data.writeDoubleLE(x, at);
    else if (bits === 8) data.writeUInt8(Math.round(x * 128) + 128, at);
    else data.writeIntLE(Math.round(x * 2 ** (bits - 1)), at, bits / 8);
  }
  const fmt = Buffer.alloc(extensible ? 40 : 16);
  fmt.writeUInt16LE(extensible ? 0xfffe : tag, 0);
  fmt.writeUInt16LE(channels, 2);
  fmt.writeUInt32LE(rate, 4);
  fmt.writeUInt32LE((rate * channels * bits) / 8, 8);
  fmt.writeUInt16LE((channels * bits) / 8, 12);
  fmt.writeUInt16LE(bits, 14);
  if (extensible) fmt.writeUInt16LE(tag, 24);
  const chunk = (name: string, body: Buffer, size = body.length): Buffer => {
    const head = Buffer.alloc(8);
    head.write(name, 'latin1');
    head.writeUInt32LE(size, 4);
    return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
  };
  const chunks = [
    chunk('fmt ', fmt),
    ...(extra > 0 ? [chunk('LIST', Buffer.alloc(extra))] : []),
    chunk('data', data, format.claims),
  ];
  return Buffer.concat([chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), ...chunks]))]);
}

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
  ] as Format[])('is read: %o', (format) => {
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
    expect(worst).toBeLessThan(1e-3);
  });

  it('takes away what the lower one cannot hold', () => {
    const output = resample(sine(9000, 9000, 44100), 44100, 16000);
    expect(output.slice(200, -200).every((x) => Math.abs(x) < 1e-3)).toBe(true);
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

describe('a data set of sounds', () => {
  const frontEnd = { ...FRONT_ENDS.digits!, frames: 10 };
  const tone = (pitch: number, length = 1500): number[] =>
    Array.from({ length }, (_, n) => 0.4 * Math.sin(pitch * n));
  const put = (name: string, pitch = 0.3, format: Format = { rate: 8000 }): string =>
    folder.write(name, wavFile(tone(pitch), format));

  it('is a folder for each class', async () => {
    put('classes/no/1.wav');
    put('classes/yes/1.WAV', 0.7);
    put('classes/yes/2.wav', 0.7, { rate: 44100, bits: 24, channels: 1 });
    folder.write('classes/yes/3.wav', 'broken');
    folder.write('classes/yes/notes.txt', 'hello');
    const { train, warnings, close } = await openSounds(folder.path('classes'), { frontEnd });
    expect(train).toMatchObject({ classes: ['no', 'yes'], shape: [10, 32], kind: 'reals', length: 3 });
    expect(warnings.map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringMatching(/^RV4002 1 files that are no sounds .* "yes\/notes.txt"$/),
      expect.stringMatching(/^RV4002 1 of 4 sounds .* "yes\/3.wav: it is not a WAV file"$/),
    ]);
    const clip = new FeatureExtractor(frontEnd).clip(
      fitClip(readWav(wavFile(tone(0.3)), '').samples, clipSamples(frontEnd)),
    );
    expect([...train.item(0).values]).toEqual([...clip].map((x) => x / 4096));
    expect(train.item(1).values).not.toEqual(train.item(0).values);
    close();
  });

  it('is one folder with names that say all, and speakers are held out', async () => {
    for (const speaker of ['ann', 'bob', 'cleo']) {
      for (const digit of [0, 1]) put(`flat/${digit}_${speaker}_0.wav`, 0.2 + digit / 2);
    }
    put('flat/stranger.wav');
    const options = { frontEnd, names: '{label}_{speaker}_{take}', heldOut: ['cleo'] };
    const { train, test, warnings, close } = await openClips(folder.path('flat'), options);
    expect(train).toMatchObject({ classes: ['0', '1'], shape: [clipSamples(frontEnd)], length: 4 });
    expect(test).toMatchObject({ classes: ['0', '1'], length: 2 });
    expect(countClasses(test!)).toEqual([1, 1]);
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining('"stranger.wav"')]);
    close();
    for (const [wrong, says] of [
      [{ heldOut: ['dora'] }, 'nobody is called "dora", but "ann", "bob", "cleo"'],
      [{ names: '{label}_{take}' }, 'do not say who speaks'],
      [{ names: '{label}_{label}' }, 'no pattern'],
      [{ names: 'x' }, 'no pattern'],
    ] as const) {
      expect(await problemOf(openClips(folder.path('flat'), { ...options, ...wrong }))).toMatchObject({
        code: 'RV4001',
        message: expect.stringContaining(says),
      });
    }
  });

  it('has speakers in folders of classes, too', async () => {
    for (const speaker of ['a1', 'b2']) {
      put(`words/go/${speaker}_nohash_0.wav`);
      put(`words/stop/${speaker}_nohash_1.wav`, 0.9);
    }
    const { train, test, close } = await openClips(folder.path('words'), {
      frontEnd,
      names: '{speaker}_nohash_{take}',
      heldOut: ['b2'],
    });
    expect([train.length, test!.length]).toEqual([2, 2]);
    close();
  });

  it('is described by a file', async () => {
    folder.write('fe.json', JSON.stringify(frontEnd));
    const describe = (fields: object): string =>
      folder.write('sounds.json', JSON.stringify({ folder: 'classes', frontEnd: 'fe.json', ...fields }));
    const { train, close } = await openData(describe({}));
    expect(train).toMatchObject({ classes: ['no', 'yes'], shape: [10, 32] });
    close();
    for (const [fields, code] of [
      [{ folder: 'nothing' }, 'RV1006'],
      [{ frontEnd: 'none.json' }, 'RV1006'],
      [{ frontEnd: 'sounds.json' }, 'RV4007'],
      [{ speaker: 'x' }, 'RV4001'],
      [{ heldOut: 'x' }, 'RV4001'],
    ] as const) {
      expect(await problemOf(openData(describe(fields)))).toMatchObject({ code });
    }
  });

  it.each([
    ['RV4005', 'one class', () => put('one/a/1.wav')],
    ['RV4001', 'no sounds', () => folder.write('none/a/1.txt', 'x')],
    [
      'RV4002',
      'none of 2 sounds can be read',
      () => [folder.write('bad/a/1.wav', 'x'), folder.write('bad/b/1.wav', '')],
    ],
  ] as const)('%s: %s', async (code, says, make) => {
    const made = [make()].flat()[0]!;
    const root = join(made, '../..');
    expect(await problemOf(openSounds(root, { frontEnd }))).toMatchObject({
      code,
      message: expect.stringContaining(says),
    });
  });
});

const FSDD = join(import.meta.dirname, '../../../shared/data/fsdd-spoken-digits.tar.gz');

describe.runIf(existsSync(FSDD))('spoken digits', () => {
  it('are read, the speaker theo held out', async () => {
    folder.write('fsdd/empty', '');
    execFileSync('tar', ['xzf', FSDD, '-C', folder.path('fsdd'), '--wildcards', '*/recordings/*_1*.wav']);
    const found = execFileSync('find', [folder.path('fsdd'), '-name', 'recordings'], { encoding: 'utf8' });
    const { train, test, warnings, close } = await openSounds(found.trim(), {
      frontEnd: { ...FRONT_ENDS.digits!, frames: 61 },
      names: '{label}_{speaker}_{take}',
      heldOut: ['theo'],
    });
    expect(train.classes).toEqual([...'0123456789']);
    expect(train.length).toBe(5 * test!.length);
    expect(warnings).toEqual([]);
    expect(train.item(0).values.every(Number.isFinite)).toBe(true);
    close();
  }, 60_000);
});
