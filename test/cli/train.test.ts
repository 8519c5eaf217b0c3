import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bars } from '../support/bars.ts';
import { cli, cliJson, type ErrorDocument, temporaryFolder } from '../support/cli.ts';
import { npyFile } from '../support/npy.ts';

interface Document {
  readonly epochs: readonly { epoch: number; heldOutAccuracy: number | null }[];
  readonly test: { accuracy: number; count: number };
  readonly size: { macs: number; parameters: number };
  readonly recipe: { seed: number; epochs: number };
  readonly data: { train: number; heldOut: number };
}

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
  for (const [name, count, seed] of [
    ['train', 200, 1],
    ['test', 50, 2],
  ] as const) {
    const data = bars(count, seed);
    const pixels = Uint8Array.from({ length: count * 64 }, (_, i) => data.item(i >> 6).values[i & 63]!);
    writeFileSync(folder.path(`x_${name}.npy`), npyFile('|u1', [count, 8, 8, 1], pixels));
    writeFileSync(folder.path(`y_${name}.npy`), npyFile('<i4', [count], data.labels));
  }
  const network = {
    name: 'bars',
    input: [8, 8, 1],
    classes: 2,
    blocks: [
      { kind: 'conv', channels: 8, stride: 2 },
      { kind: 'inverted', expand: 2, channels: 8 },
    ],
  };
  writeFileSync(folder.path('network.json'), JSON.stringify(network));
  writeFileSync(folder.path('recipe.json'), JSON.stringify({ epochs: 3, batch: 16, heldOut: 0.2 }));
});
afterEach(() => folder.remove());

function argv(...more: string[]): string[] {
  const { path } = folder;
  const data = ['--data', path('.'), '--recipe', path('recipe.json'), '--host', 'wasm'];
  return ['train', path('network.json'), ...data, '-o', path('out/model.json'), ...more];
}

it('trains, keeps the network and what came out, and does nothing twice', async () => {
  const { path } = folder;
  const first = await cliJson<Document>(...argv('--seed', '7', '--result', path('result.json')));
  expect(first.stderr).toContain('epoch 3 of 3');
  expect(first.code).toBe(0);
  const { document } = first;
  expect(document.recipe).toMatchObject({ seed: 7, epochs: 3 });
  expect(document.data).toMatchObject({ train: 160, heldOut: 40 });
  expect(document.test.count).toBe(50);
  expect(document.test.accuracy).toBeGreaterThan(0.9);
  // 3x3 to 8 channels on 4x4 pixels; 8 to 16, depthwise, 16 to 8; the classifier.
  expect(document.size.macs).toBe(16 * (9 * 8 + 8 * 16 + 9 * 16 + 16 * 8) + 16);
  expect(document.size.parameters).toBe(72 + 128 + 144 + 128 + 2 * (8 + 16 + 16 + 8) + 18);
  expect(JSON.parse(readFileSync(path('result.json'), 'utf8'))).toMatchObject({ test: document.test });
  const states = readFileSync(path('out/model.safetensors'));
  const again = await cliJson<Document>(...argv('--seed', '7'));
  expect(again.stderr).not.toContain('epoch');
  expect(again.document.epochs).toEqual(document.epochs);
  expect(readFileSync(path('out/model.safetensors'))).toEqual(states);
  const text = await cli(...argv('--seed', '7'));
  expect(text.stdout).toContain('of 50');
});

it('refuses to go on from the checkpoint of another recipe', async () => {
  await cli(...argv('--seed', '7'));
  const other = await cliJson<ErrorDocument>(...argv('--seed', '8'));
  expect(other.code).toBe(2);
  expect(other.document.error.diagnostics[0]!.code).toBe('RV5003');
});

it('says what is wrong with its arguments', async () => {
  const { path } = folder;
  const codeOf = async (...args: string[]) =>
    (await cliJson<ErrorDocument>(...args)).document.error.diagnostics[0]!.code;
  expect(await codeOf(...argv('--host', 'gpu'))).toBe('RV3001');
  expect(await codeOf(...argv('-o', path('model')))).toBe('RV3001');
  writeFileSync(path('recipe.json'), '{"epochs": -1}');
  expect(await codeOf(...argv())).toBe('RV5001');
  writeFileSync(path('recipe.json'), '{}');
  writeFileSync(path('network.json'), '{}');
  expect(await codeOf(...argv())).toBe('RV5004');
  expect(existsSync(path('out'))).toBe(false);
});
