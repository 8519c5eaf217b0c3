/** `rivulet quantize`: from PyTorch's file to an int8 TFLite file that the other commands take. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { createRandom } from '../../src/core/random.ts';
import { writeTflite } from '../../src/export/tflite.ts';
import { importModel } from '../../src/import/model.ts';
import { requireValue } from '../../src/ir/types.ts';
import { runPasses } from '../../src/passes/pipeline.ts';
import { Observer } from '../../src/quantize/observe.ts';
import { prepare } from '../../src/quantize/prepare.ts';
import { argmax } from '../../src/quantize/quality.ts';
import { quantize } from '../../src/quantize/quantize.ts';
import { wasmHost } from '../../src/run/engine/wasm-host.ts';
import { cli, cliJson, type ErrorDocument, temporaryFolder } from '../support/cli.ts';
import { npyFile } from '../support/npy.ts';

const host = await wasmHost();
const folder = temporaryFolder();
afterAll(folder.remove);

const MODEL = fileURLToPath(new URL('../golden-data/onnx/flattened.onnx', import.meta.url));
const SIZE = 64;
const ITEMS = { train: 60, test: 40 };

/** Items whose labels are what the float network says, so that its accuracy is 1. */
function writeData(): void {
  const observer = new Observer(
    prepare(importModel(new Uint8Array(readFileSync(MODEL)), MODEL, 'float').graph),
    host,
  );
  const random = createRandom(5);
  for (const [part, count] of Object.entries(ITEMS)) {
    const values = Float32Array.from({ length: count * SIZE }, () => 6 * random() - 3);
    const labels = Uint8Array.from({ length: count }, (_, i) =>
      argmax(observer.run(values.slice(i * SIZE, (i + 1) * SIZE)).get(observer.values.at(-1)!.id)!),
    );
    writeFileSync(folder.path(`x_${part}.npy`), npyFile('<f4', [count, 8, 8, 1], values));
    writeFileSync(folder.path(`y_${part}.npy`), npyFile('|u1', [count], labels));
  }
}

interface Report {
  readonly accuracy: { readonly float: number; readonly int8: number };
  readonly agreement: number;
  readonly sqnr: number;
  readonly trials: readonly unknown[];
  readonly choice: object;
  readonly samples: object;
  readonly layers: readonly { readonly name: string; readonly sqnr: number }[];
  readonly written: { readonly bytes: number };
}

it('quantises, measures and writes', async () => {
  writeData();
  const out = folder.path('int8.tflite');
  const { code, document } = await cliJson<Report>('quantize', MODEL, '--data', folder.path('.'), '-o', out);
  expect(code).toBe(0);
  expect(document.samples).toEqual({ calibration: 60, test: 40 });
  expect(document.accuracy.float).toBe(1);
  expect(document.accuracy.int8).toBe(document.agreement);
  expect(document.agreement).toBeGreaterThanOrEqual(0.9);
  expect(document.sqnr).toBeGreaterThan(25);
  expect(document.trials.length).toBe(5);
  expect(document.written.bytes).toBe(readFileSync(out).length);
  const run = await cliJson<{ outputs: { dtype: string }[] }>('run', out, '--input', 'pattern');
  expect(run.document.outputs[0]!.dtype).toBe('int8');
  expect((await cli('compile', out, '--target', 'cortex-m4')).code).toBe(0);
});

it('writes what it measured: the file read again computes the same bytes', () => {
  const { graph } = importModel(new Uint8Array(readFileSync(MODEL)), MODEL, 'float');
  const random = createRandom(2);
  const samples = Array.from({ length: 9 }, () =>
    Float32Array.from({ length: SIZE }, () => 2 * random() - 1),
  );
  const made = quantize(graph, samples, { host }).graph;
  const again = importModel(writeTflite(made), 'again.tflite').graph;
  // TFLite has no words for this padding but an operator, which is a pass away from the convolution.
  const shape = (g: typeof made) => runPasses(g, 'int8').nodes.map(({ op, attrs }) => [op, attrs]);
  expect(shape(again)).toEqual(shape(made));
  const [a, b] = [new Observer(made, host), new Observer(again, host)];
  for (let i = 0; i < 20; ++i) {
    const input = Int8Array.from({ length: SIZE }, () => Math.floor(256 * random()) - 128);
    const last = (observer: Observer) => [...(Array.from(observer.run(input).values()).at(-1) as Int8Array)];
    expect(last(b)).toEqual(last(a));
  }
});

it('takes float32 .tflite files', () => {
  const { graph } = importModel(new Uint8Array(readFileSync(MODEL)), MODEL, 'float');
  const float = prepare(graph);
  const again = importModel(writeTflite(float), 'float.tflite', 'float').graph;
  expect(requireValue(again, again.inputs[0]!).dtype).toBe('float32');
  const [a, b] = [new Observer(float, host), new Observer(again, host)];
  const random = createRandom(3);
  const input = Float32Array.from({ length: SIZE }, () => 2 * random() - 1);
  const last = (observer: Observer) => [...(Array.from(observer.run(input).values()).at(-1) as Float32Array)];
  expect(last(b)).toEqual(last(a));
});

it('says how, in words', async () => {
  const options = ['--calibration', 'mse', '--no-equalize', '--no-correct-bias'];
  const { code, stdout } = await cli('quantize', MODEL, '--data', folder.path('.'), ...options);
  expect(code).toBe(0);
  expect(stdout).toContain('flattened.onnx: mse\n');
  expect(stdout).toMatch(/accuracy {3}float32 100\.00 %, int8 \d+\.\d\d %/);
});

it('shows float32 models, and says that they are not quantised', async () => {
  const { code, document } = await cliJson<{ format: string; macs: number; operators: unknown[] }>(
    'inspect',
    MODEL,
  );
  expect([code, document.format]).toEqual([2, 'onnx']);
  expect(document.operators.length).toBe(8);
  expect(document.macs).toBeGreaterThan(1000);
  const { document: refused } = await cliJson<ErrorDocument>('compile', MODEL);
  expect(refused.error.diagnostics[0]!.code).toBe('RV2003');
  expect(refused.error.diagnostics[0]!.hint).toContain('rivulet quantize');
});

it('refuses what is int8 already', async () => {
  const { code, document } = await cliJson<ErrorDocument>(
    'quantize',
    folder.path('int8.tflite'),
    '--data',
    folder.path('.'),
  );
  expect(code).toBe(2);
  expect(document.error.diagnostics.map((d) => d.code)).toEqual(['RV2003']);
});
