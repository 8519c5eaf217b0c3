import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type CompileOptions, compile, run, runReference } from '../../src/api.ts';
import { parseFrontEnd } from '../../src/audio/front-end.ts';
import { patternBytes } from '../../src/core/random.ts';
import { elementCount, requireValue } from '../../src/ir/types.ts';

const folder = fileURLToPath(new URL('../../examples/', import.meta.url));
const table = readFileSync(join(folder, 'models/README.md'), 'utf8');
const frontEnd = parseFrontEnd(
  new Uint8Array(readFileSync(join(folder, 'train/digits-front-end.json'))),
  'digits-front-end.json',
);

/** As the README has it, and the flash that each was made for. */
const MODELS: readonly [string, CompileOptions, number][] = [
  ['cifar10-12m', { target: 'cortex-m4', schedule: 'auto', maxSram: 65_536 }, 262_144],
  ['cifar10-small', { target: 'stm32f412', schedule: 'auto', maxSram: 16_384 }, 131_072],
  ['fashion-mnist', { target: 'nrf52840', schedule: 'auto', maxSram: 16_384 }, 65_536],
  ['spoken-digits', { target: 'cortex-m4', inputMode: 'rows', frontEnd }, 65_536],
];

describe.each(MODELS)('the shipped model %s', (name, options, maxFlash) => {
  const bytes = readFileSync(join(folder, 'models', `${name}.tflite`));
  const row = table.split('\n').find((line) => line.startsWith(`| \`${name}.tflite\``))!;
  const [macs, sram, flash] = row
    .split('|')
    .slice(4, 7)
    .map((cell) => cell.trim());

  it('keeps its limits, and takes what its README says', () => {
    const { report } = compile(bytes, options);
    expect(report.sram.total).toBeLessThanOrEqual(options.maxSram ?? Number.POSITIVE_INFINITY);
    expect(report.flash.total).toBeLessThanOrEqual(maxFlash);
    expect(`${(report.macs / 1e6).toFixed(2)} M`).toBe(macs);
    expect(`${report.sram.total.toLocaleString('en')} B`).toBe(sram);
    const linked = Number(flash!.replace(/\D/g, ''));
    expect(Math.abs(report.flash.total / linked - 1)).toBeLessThan(0.02);
  });

  it('gives the bytes of the definition', async () => {
    const { frontEnd: _, ...network } = options;
    const compilation = compile(bytes, network);
    const { shape } = requireValue(compilation.graph, compilation.graph.inputs[0]!);
    const image = [new Uint8Array(patternBytes(elementCount(shape), 5).buffer)];
    expect(await run(compilation, image)).toEqual(runReference(compilation, image));
  });
});
