/** From WAV files to firmware and to what it would learn, by commands alone. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createRandom } from '../../src/core/random.ts';
import { wavFile } from '../audio/wav-file.ts';
import { cli, cliJson, type ErrorDocument, temporaryFolder } from '../support/cli.ts';

vi.setConfig({ testTimeout: 120_000 });

const folder = temporaryFolder();
afterAll(folder.remove);
const path = (name: string): string => folder.path(name);

const FRONT_END = { rate: 8000, window: 256, hop: 256, frames: 16, bands: 16, low: 100, high: 4000 };
const NETWORK = {
  name: 'pitch',
  input: [16, 16, 1],
  classes: 2,
  blocks: [
    { kind: 'conv', channels: 8, stride: 2 },
    { kind: 'inverted', expand: 2, channels: 8 },
  ],
};
const RECIPE = { epochs: 8, batch: 16, average: 0, augmentation: { sounds: { frames: 2, bands: 1 } } };

function write(name: string, content: object | Uint8Array): string {
  mkdirSync(dirname(path(name)), { recursive: true });
  writeFileSync(path(name), content instanceof Uint8Array ? content : JSON.stringify(content));
  return path(name);
}

const files = { network: '', recipe: '', frontEnd: '', scheme: '' };
beforeAll(() => {
  files.network = write('network.json', NETWORK);
  files.recipe = write('recipe.json', RECIPE);
  files.frontEnd = write('front-end.json', FRONT_END);
  files.scheme = write('scheme.json', { name: 'few', classes: 2, biases: 1, weights: [] });
  const random = createRandom(9);
  for (const speaker of ['ann', 'bob', 'cleo']) {
    for (let take = 0; take < 24; ++take) {
      for (const [label, hertz] of [
        ['low', 400],
        ['high', 1500],
      ] as const) {
        const pitch = (2 * Math.PI * hertz * (0.8 + 0.4 * random())) / 8000;
        const samples = Array.from({ length: 3000 }, (_, n) => 0.3 * Math.sin(pitch * n) + 0.02 * random());
        write(`wav/${label}_${speaker}_${take}.wav`, wavFile(samples, { rate: 8000 }));
      }
    }
  }
});

const data = (): string[] => [
  ...['--data', path('wav'), '--frontend', files.frontEnd],
  ...['--names', '{label}_{speaker}_{take}', '--test-speakers', 'cleo'],
];

interface Trained {
  readonly data: { readonly train: number; readonly sounds: object };
  readonly test: { readonly accuracy: number; readonly count: number };
}

it('trains, quantises, compiles and rehearses', async () => {
  const model = path('out/pitch.json');
  const trained = await cliJson<Trained>(
    ...['train', files.network, ...data(), '--recipe', files.recipe, '--host', 'wasm', '-o', model],
  );
  expect(trained.code, trained.stderr).toBe(0);
  expect(trained.document.data).toMatchObject({
    train: 96,
    sounds: { frontEnd: FRONT_END, names: '{label}_{speaker}_{take}', testSpeakers: ['cleo'] },
  });
  expect(trained.document.test).toEqual({ correct: 48, count: 48, accuracy: 1 });

  const int8 = path('out/pitch.tflite');
  const quantized = await cliJson<{ accuracy: object; samples: object }>(
    ...['quantize', model, ...data(), '-o', int8],
  );
  expect(quantized.code, quantized.stderr).toBe(0);
  expect(quantized.document.accuracy).toEqual({ float: 1, int8: 1 });
  expect(quantized.document.samples).toEqual({ calibration: 96, test: 48 });

  const compiled = await cliJson<{ files: string[] }>(
    ...['compile', int8, '--frontend', files.frontEnd, '--input-mode', 'rows', '-o', path('c')],
  );
  expect(compiled.code, compiled.stderr).toBe(0);
  expect(readFileSync(path('c/pitch_features.h'), 'utf8')).toContain('PITCH_FEATURES_SIZE 16');

  const rehearsed = await cliJson<{ data: object; testAccuracy: { mean: number }[] }>(
    ...['learn', 'rehearse', int8, '--scheme', files.scheme, ...data(), '--epochs', '2'],
  );
  expect(rehearsed.code, rehearsed.stderr).toBe(0);
  expect(rehearsed.document.data).toMatchObject({ classes: ['high', 'low'], train: 96, test: 48 });
  expect(rehearsed.document.testAccuracy[0]!.mean).toBeGreaterThan(0.9);
});

it('says what is wrong with options of sounds', async () => {
  const problem = async (...args: string[]) =>
    (
      await cliJson<ErrorDocument>(
        'train',
        files.network,
        '--data',
        path('wav'),
        '-o',
        path('n.json'),
        ...args,
      )
    ).document.error.diagnostics[0];
  expect(await problem('--names', '{label}_{speaker}_{take}')).toMatchObject({
    code: 'RV3001',
    origin: '--names',
  });
  expect(await problem('--test-speakers', 'ann')).toMatchObject({
    code: 'RV3001',
    origin: '--test-speakers',
  });
  expect(await problem('--frontend', path('none.json'))).toMatchObject({ code: 'RV1006' });
  expect(await problem('--frontend', files.network)).toMatchObject({ code: 'RV4007' });
  const wide = write('wide.json', { ...FRONT_END, bands: 15 });
  expect(await problem('--frontend', wide, '--names', '{label}_{speaker}_{take}')).toMatchObject({
    code: 'RV4006',
    message: expect.stringContaining('[16, 15] for an input of [16, 16, 1]'),
  });
  expect((await cli('train', '--help')).stdout).toContain('--test-speakers');
});
