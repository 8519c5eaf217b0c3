/** From a rehearsal to a .tflite on the command line. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { importModel } from '../../src/import/model.ts';
import { cli, cliJson, type ErrorDocument, temporaryFolder } from '../support/cli.ts';

const folder = temporaryFolder();
afterAll(folder.remove);
const MODEL = 'examples/digits/digits.tflite';

function schemeFile(name: string, scheme: object): string {
  writeFileSync(folder.path(name), JSON.stringify(scheme));
  return folder.path(name);
}

it('rehearses, keeps what has been learnt, and exports it; states of other schemes are refused', async () => {
  for (const digit of '0123456789') {
    for (const [part, picture] of [
      ['train', 0],
      ['test', 1],
    ] as const) {
      const to = join(folder.path('data'), part, digit);
      mkdirSync(to, { recursive: true });
      copyFileSync(`examples/digits/pictures/${digit}-${picture}.png`, join(to, 'picture.png'));
    }
  }
  const scheme = { name: 'few', classes: 10, biases: 4, weights: [{ layer: 2, ratio: 1 }] };
  const given = ['--scheme', schemeFile('few.json', scheme)];
  const [state, out] = [folder.path('slot.bin'), folder.path('trained.tflite')];
  const data = ['--data', folder.path('data'), '--epochs', '2', '--rate', '0.01'];
  const rehearsed = await cli('learn', 'rehearse', MODEL, ...given, ...data, '--state', state);
  expect(rehearsed.code, rehearsed.stderr).toBe(0);
  const exported = await cliJson<{ steps: number; bytes: number }>(
    ...['learn', 'export', MODEL, ...given, '--state', state, '-o', out],
  );
  expect(exported.code, exported.stderr).toBe(0);
  const file = new Uint8Array(readFileSync(out));
  expect(exported.document).toMatchObject({ steps: 20, bytes: file.length });
  expect(importModel(file, 'trained.tflite').graph.nodes.at(-1)!.op).toBe('fully_connected');

  const other = ['--scheme', schemeFile('other.json', { ...scheme, biases: 3 })];
  const refused = await cliJson<ErrorDocument>(
    'learn',
    'export',
    MODEL,
    ...other,
    '--state',
    state,
    '-o',
    out,
  );
  expect(refused.code).toBe(2);
  expect(refused.document.error.diagnostics[0]).toMatchObject({ code: 'RV5005', origin: state });

  const open = ['--scheme', schemeFile('open.json', { biases: 1 })];
  const nobody = await cliJson<ErrorDocument>('learn', 'rehearse', MODEL, ...open, ...data, '--state', state);
  expect(nobody.document.error.diagnostics[0]).toMatchObject({ code: 'RV5001' });
});
