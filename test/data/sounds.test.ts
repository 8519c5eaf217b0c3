/** Data sets of sound: what is read, what is left out, and that networks are given what the firmware hears. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FeatureExtractor } from '../../src/audio/features.ts';
import { clipSamples } from '../../src/audio/front-end.ts';
import { fitClip } from '../../src/audio/resample.ts';
import { readWav } from '../../src/audio/wav.ts';
import { asBytes } from '../../src/core/dtype.ts';
import { countClasses } from '../../src/data/dataset.ts';
import { inputsOf } from '../../src/data/inputs.ts';
import { openData } from '../../src/data/open.ts';
import { openSounds } from '../../src/data/sounds.ts';
import { split } from '../../src/data/split.ts';
import { runFirmware } from '../../src/run/execute.ts';
import { buildFirmware } from '../../src/run/firmware.ts';
import { frontEndRequest, QUANTIZATION } from '../audio/firmware.ts';
import { FRONT_ENDS } from '../audio/front-ends.ts';
import { type WavFormat, wavFile } from '../audio/wav-file.ts';
import { canRun } from '../support/firmware.ts';
import { DataFolder, problemOf } from './files.ts';

const folder = new DataFolder();
afterAll(folder.remove);

const frontEnd = { ...FRONT_ENDS.digits!, frames: 10 };
const length = clipSamples(frontEnd);
const tone = (pitch: number): number[] =>
  Array.from({ length: 1500 }, (_, n) => 0.4 * Math.sin(pitch * n * (1 + n / 3000)));
const put = (name: string, pitch = 0.3, format: WavFormat = { rate: 8000 }): string =>
  folder.write(name, wavFile(tone(pitch), format));
/** The clip that is made of `put(name, pitch)`. */
const clipOf = (pitch: number): Int16Array => fitClip(readWav(wavFile(tone(pitch)), '').samples, length);

describe('a folder of sounds', () => {
  it('has a folder for each class', async () => {
    put('classes/no/1.wav');
    put('classes/yes/1.WAV', 0.7);
    put('classes/yes/2.wav', 0.7, { rate: 44100, bits: 24, channels: 1 });
    folder.write('classes/yes/3.wav', 'broken');
    folder.write('classes/yes/4.wav', '');
    folder.write('classes/yes/5.wav', wavFile([]));
    folder.write('classes/yes/notes.txt', 'hello');
    const { train, test, warnings, close } = await openSounds(folder.path('classes'), { frontEnd });
    expect(train).toMatchObject({ classes: ['no', 'yes'], shape: [10, 32], kind: 'sounds', length: 3 });
    expect(test).toBe(undefined);
    expect(warnings.map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringMatching(/^RV4002 1 files that are no sounds .* "yes\/notes.txt"$/),
      'RV4002 3 of 6 sounds cannot be read and are left out: "yes/3.wav: it is not a WAV file", "yes/4.wav: it is not a WAV file", "yes/5.wav: it holds no samples"',
    ]);
    expect(train.item(0)).toEqual({ values: clipOf(0.3), label: 0 });
    expect(train.item(1)).toEqual({ values: clipOf(0.7), label: 1 });
    expect(train.item(2).values).not.toEqual(train.item(1).values);
    close();
  });

  it('has names that say all, and speakers to test with', async () => {
    for (const speaker of ['ann', 'bob', 'cleo']) {
      for (const digit of [0, 1]) put(`flat/${digit}_${speaker}_0.wav`, 0.2 + digit / 2);
    }
    put('flat/stranger.wav');
    const options = { frontEnd, names: '{label}_{speaker}_{take}', testSpeakers: ['cleo'] };
    const { train, test, warnings, close } = await openData(folder.path('flat'), { sounds: options });
    expect(train).toMatchObject({ classes: ['0', '1'], shape: [10, 32], length: 4 });
    expect(test).toMatchObject({ classes: ['0', '1'], shape: [10, 32], length: 2, frontEnd });
    expect([countClasses(train), countClasses(test!)]).toEqual([
      [2, 2],
      [1, 1],
    ]);
    expect(split(train, 0.5, 1).first).toMatchObject({ length: 2, kind: 'sounds', frontEnd });
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining('"stranger.wav"')]);
    close();
    for (const [wrong, says] of [
      [{ testSpeakers: ['dora'] }, 'nobody is called "dora", but "ann", "bob", "cleo"'],
      [{ names: '{label}_{take}' }, 'do not say who speaks'],
      [{ names: '{label}_{label}' }, 'no pattern'],
      [{ names: 'x' }, 'no pattern'],
    ] as const) {
      expect(await problemOf(openSounds(folder.path('flat'), { ...options, ...wrong }))).toMatchObject({
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
    const { train, test, close } = await openSounds(folder.path('words'), {
      frontEnd,
      names: '{speaker}_nohash_{take}',
      testSpeakers: ['b2'],
    });
    expect([train.length, test!.length]).toEqual([2, 2]);
    close();
  });

  it.each([
    ['RV4005', 'one class', {}, () => put('one/a/1.wav')],
    ['RV4001', 'no sounds', {}, () => folder.write('none/a/1.txt', 'x')],
    [
      'RV4001',
      'a test of its own',
      { names: '{speaker}', testSpeakers: ['x'] },
      () => [put('parts/train/a/1.wav'), put('parts/test/a/1.wav')][0]!,
    ],
    [
      'RV4002',
      'none of 2 sounds can be read',
      {},
      () => [folder.write('bad/a/1.wav', 'x'), folder.write('bad/b/1.wav', '')][0]!,
    ],
  ] as const)('is refused with %s: %s', async (code, says, options, make) => {
    const root = folder.path(
      make()
        .slice(folder.root.length + 1)
        .split('/')[0]!,
    );
    expect(await problemOf(openSounds(root, { frontEnd, ...options }))).toMatchObject({
      code,
      message: expect.stringContaining(says),
    });
  });

  it('is asked for: without a front-end there are only pictures', async () => {
    put('asked/a/1.wav');
    expect(await problemOf(openData(folder.path('asked')))).toMatchObject({
      code: 'RV4001',
      hint: expect.stringContaining('sounds (.wav) need a front-end'),
    });
  });
});

describe('inputs of sounds', () => {
  const shape = [1, 10, 32, 1];
  const set = { shape: [10, 32], kind: 'sounds', frontEnd } as const;
  const { scale, zeroPoint } = QUANTIZATION;
  const clips = [0.3, 0.7, 2.2].map(clipOf);

  it('are logarithms for float32', () => {
    const toInput = inputsOf(set, { shape, dtype: 'float32', scale: 1, zeroPoint: 0 });
    const features = new FeatureExtractor(frontEnd).clip(clips[0]!);
    expect([...toInput(clips[0]!)]).toEqual(Array.from(features, (x) => x / 4096));
  });

  it.runIf(canRun('host'))('are for int8 what the firmware makes of the same samples', async () => {
    const toInput = inputsOf(set, { shape, dtype: 'int8', scale, zeroPoint });
    const firmware = await buildFirmware(frontEndRequest(frontEnd, 'host'));
    const { outputs } = await runFirmware(
      firmware,
      clips.map((clip) => [asBytes(clip)]),
    );
    expect(clips.map((clip) => toInput(clip))).toEqual(
      outputs.map(([frames]) => new Int8Array(frames!.slice().buffer)),
    );
    expect(new Set(toInput(clips[0]!)).size).toBeGreaterThan(20);
  });

  it.each([
    ['[10, 32] for an input of [1, 10, 30, 1]', { shape: [1, 10, 30, 1], dtype: 'int8', scale, zeroPoint }],
    ['uint8 in steps of', { shape, dtype: 'uint8', scale, zeroPoint }],
    ['int8 in steps of 1e-12', { shape, dtype: 'int8', scale: 1e-12, zeroPoint }],
  ] as const)('are refused: %s', (says, input) => {
    expect(() => inputsOf(set, input)).toThrow(says);
    expect(() => inputsOf(set, input)).toThrow('RV4006');
  });
});

const FSDD = join(import.meta.dirname, '../../../shared/data/fsdd-spoken-digits.tar.gz');

describe.runIf(existsSync(FSDD))('spoken digits', () => {
  it('are read, the speaker theo held out', async () => {
    folder.write('fsdd/empty', '');
    execFileSync('tar', ['xzf', FSDD, '-C', folder.path('fsdd'), '--wildcards', 'recordings/*_1*.wav']);
    const { train, test, warnings, close } = await openSounds(folder.path('fsdd/recordings'), {
      frontEnd: { ...frontEnd, frames: 61 },
      names: '{label}_{speaker}_{take}',
      testSpeakers: ['theo'],
    });
    expect(train.classes).toEqual([...'0123456789']);
    expect(train.length).toBe(5 * test!.length);
    expect(warnings).toEqual([]);
    expect(new Set(train.item(0).values).size).toBeGreaterThan(100);
    close();
  }, 60_000);
});
