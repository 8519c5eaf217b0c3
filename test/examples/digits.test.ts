import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Digit, loadDigits, SIDE } from '../../examples/digits/data.ts';
import { writeIdxFiles, writePictures } from '../../examples/digits/files.ts';
import { compile, describeOutputs, run } from '../../src/api.ts';
import { asBytes } from '../../src/core/dtype.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { inputsOf } from '../../src/data/inputs.ts';
import { openData } from '../../src/data/open.ts';
import { readTflite } from '../../src/formats/tflite/reader.ts';
import { writeTflite } from '../../src/formats/tflite/writer.ts';
import { parseSpace } from '../../src/nas/space-json.ts';
import { inputType } from '../../src/quantize/measure.ts';
import { parseEffort } from '../../src/search/efforts.ts';

const folder = fileURLToPath(new URL('../../examples/digits/', import.meta.url));
const { training, heldOut } = loadDigits();

describe('the shipped digits model', () => {
  const bytes = new Uint8Array(readFileSync(join(folder, 'digits.tflite')));
  const { model, warnings } = readTflite(bytes);
  const [graph] = model.subgraphs;
  const tensorOf = (indices: readonly number[]) => graph!.tensors[indices[0]!]!;
  // As docs/results/search-digits.json says it was searched for.
  const compilation = compile(bytes, { target: 'nrf52840', maxSram: 4096 });

  it('reads without a warning and writes back to the same bytes', () => {
    expect(warnings).toEqual([]);
    expect(Buffer.compare(writeTflite(model), bytes)).toBe(0);
  });

  it('takes int8 pictures from -1 to 1 and gives int8 logits', () => {
    const input = tensorOf(graph!.inputs);
    expect(input).toMatchObject({ type: 'INT8', shape: [1, SIDE, SIDE, 1] });
    expect(input.quantization).toMatchObject({ scale: [Math.fround(1 / 127.5)], zeroPoint: [0] });
    expect(tensorOf(graph!.outputs)).toMatchObject({ type: 'INT8', shape: [1, 10] });
  });

  it('keeps the limits that it was searched for', () => {
    expect(compilation.report.sram.total).toBeLessThanOrEqual(4096);
    expect(compilation.report.flash.total).toBeLessThanOrEqual(32768);
  });

  it('reads the digits that were held out', async () => {
    const toInput = inputsOf(
      { kind: 'pixels', shape: [SIDE, SIDE, 1] },
      inputType(compilation.graph, 'int8'),
    );
    let right = 0;
    for (const { pixels, label } of heldOut) {
      const { values } = describeOutputs(compilation, await run(compilation, [asBytes(toInput(pixels))]))[0]!;
      if (values.indexOf(Math.max(...values)) === label) ++right;
    }
    expect(right / heldOut.length).toBeGreaterThanOrEqual(0.975);
  });
});

describe('the shipped pictures', () => {
  const names = readdirSync(join(folder, 'pictures'));

  it('are two of each digit', () => {
    expect(names.sort()).toEqual(Array.from({ length: 20 }, (_, i) => `${i >> 1}-${i & 1}.png`));
  });

  it.each(names)('%s is a held-out digit of its label', async (name) => {
    const png = sharp(join(folder, 'pictures', name));
    expect(await png.metadata()).toMatchObject({ width: SIDE, height: SIDE, channels: 1 });
    const pixels = await png.toColourspace('b-w').raw().toBuffer();
    const original = heldOut.find((digit) => Buffer.compare(digit.pixels, pixels) === 0);
    expect(original?.label).toBe(Number(name[0]));
    expect(training.some((digit) => Buffer.compare(digit.pixels, pixels) === 0)).toBe(false);
  });
});

describe('the data of the search', () => {
  const written = mkdtempSync(join(tmpdir(), 'rivulet-digits-'));
  beforeAll(() => writeIdxFiles(written, { training, heldOut }));
  afterAll(() => rmSync(written, { recursive: true, force: true }));

  it('are the digits', async () => {
    const { train, test, warnings } = await openData(written);
    expect(warnings).toEqual([]);
    expect(train.shape).toEqual([SIDE, SIDE, 1]);
    expect(train.classes).toEqual([...'0123456789']);
    expectDigits(train, training);
    expectDigits(test!, heldOut);
  });

  it('come with the pictures that are shipped', async () => {
    const pictures = join(written, 'pictures');
    await writePictures(pictures, heldOut);
    const shipped = join(folder, 'pictures');
    expect(readdirSync(pictures).sort()).toEqual(readdirSync(shipped).sort());
    for (const name of readdirSync(pictures)) {
      const [made, kept] = await Promise.all(
        [pictures, shipped].map((from) => sharp(join(from, name)).raw().toBuffer()),
      );
      expect(Buffer.compare(made!, kept!), name).toBe(0);
    }
  });
});

function expectDigits(dataset: Dataset, digits: readonly Digit[]): void {
  expect(dataset.length).toBe(digits.length);
  const different = digits.findIndex(({ label, pixels }, i) => {
    const item = dataset.item(i);
    return item.label !== label || Buffer.compare(item.values as Uint8Array, pixels) !== 0;
  });
  expect(different).toBe(-1);
}

describe('the settings of the search', () => {
  const bytesOf = (name: string) => new Uint8Array(readFileSync(join(folder, name)));

  it('never mirror a digit', () => {
    const { supernet, finetune } = parseEffort(bytesOf('effort.json'), 'effort.json');
    for (const { augmentation } of [supernet.largest, supernet.shared, finetune])
      expect(augmentation).toMatchObject({ flip: false, shift: 2 });
  });

  it('are a space of pictures as large as the digits', () => {
    const space = parseSpace(bytesOf('space.json'), 'space.json');
    expect(space).toMatchObject({ imageChannels: 1, classes: 10, resolutions: [SIDE] });
  });
});
