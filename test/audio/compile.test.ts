/** Sound in, scores out: a front-end emitted beside a network, against both run in TypeScript. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openStream, run } from '../../src/api.ts';
import { FeatureExtractor, quantizeFeature } from '../../src/audio/features.ts';
import { clipSamples, type FrontEnd, frameWidth, parseFrontEnd } from '../../src/audio/front-end.ts';
import { quantizationOf } from '../../src/audio/tables.ts';
import { type Compilation, type CompileOptions, compile } from '../../src/compile.ts';
import { RivuletError } from '../../src/core/diagnostics.ts';
import { asBytes } from '../../src/core/dtype.ts';
import { runFirmware } from '../../src/run/execute.ts';
import { buildFirmware } from '../../src/run/firmware.ts';
import { cli, cliJson, temporaryFolder } from '../support/cli.ts';
import { canRun } from '../support/firmware.ts';
import { HAS_SHARED, modelBytes } from '../support/shared.ts';
import { FRONT_ENDS } from './front-ends.ts';
import { SIGNALS } from './signals.ts';
import { soundRequest } from './sound-firmware.ts';

vi.setConfig({ testTimeout: 120_000 });

const DIGITS = join(import.meta.dirname, '../../examples/digits/digits.tflite');
const KEYWORDS: FrontEnd = { ...FRONT_ENDS.keywords!, frames: 49 };

/** Frames and bands as the digits have rows and columns; floor 1 keeps the logarithms near the 0 to 1 of pixels. */
function digitsFrontEnd(): FrontEnd {
  const [, frames = 0, bands = 0] = compile(readFileSync(DIGITS)).program.inputs[0]!.shape;
  return { ...KEYWORDS, frames, bands, coefficients: 0, floor: 1 };
}

/** The scores of the last window of a clip. */
async function scoresOf(compilation: Compilation, frontEnd: FrontEnd, clip: Int16Array): Promise<Uint8Array> {
  const { scales, zeroPoints } = compilation.program.inputs[0]!.quantization!;
  const quantization = quantizationOf(scales[0]!, zeroPoints[0]!)!;
  const features = new FeatureExtractor(frontEnd).clip(clip);
  const values = asBytes(Int8Array.from(features, (feature) => quantizeFeature(feature, quantization)));
  if (compilation.program.sliding === undefined) return (await run(compilation, [values]))[0]!;
  const stream = await openStream(compilation);
  const width = frameWidth(frontEnd);
  const outputs = Array.from({ length: frontEnd.frames }, (_, i) =>
    stream.push(values.subarray(i * width, (i + 1) * width)),
  );
  return outputs.at(-1)![0]!;
}

interface Case {
  readonly model: Uint8Array;
  readonly frontEnd: FrontEnd;
  readonly options: CompileOptions;
}

const CASES: readonly (readonly [string, () => Case])[] = [
  [
    'rows of the digits',
    () => ({ model: readFileSync(DIGITS), frontEnd: digitsFrontEnd(), options: { inputMode: 'rows' } }),
  ],
  ...(HAS_SHARED
    ? ([{ inputMode: 'rows' }, { streamAxis: 'time' }] as const).map(
        (options) =>
          [
            `keywords, ${JSON.stringify(options)}`,
            () => ({ model: modelBytes('mlperf_kws_int8'), frontEnd: KEYWORDS, options }),
          ] as const,
      )
    : []),
];

for (const core of ['host', 'cortex-m4']) {
  describe.runIf(canRun(core))(`a clip's scores on ${core}`, () => {
    it.each(CASES)('are those of TypeScript: %s', async (_, make) => {
      const { model, frontEnd, options } = make();
      const compilation = compile(model, { ...options, frontEnd, name: 'net' });
      const firmware = await buildFirmware(soundRequest(compilation, frontEnd, core));
      const clips = ['noise', 'chirp', 'speech-like'].map((name) => SIGNALS[name]!(clipSamples(frontEnd)));
      const { outputs } = await runFirmware(
        firmware,
        clips.map((clip) => [asBytes(clip)]),
      );
      const expected = await Promise.all(clips.map((clip) => scoresOf(compilation, frontEnd, clip)));
      expect(outputs.map(([bytes]) => bytes)).toEqual(expected);
      expect(new Set(expected.map(String)).size).toBeGreaterThan(1);
    });
  });
}

describe('compile with a front-end', () => {
  const model = readFileSync(DIGITS);
  const frontEnd = digitsFrontEnd();

  it('counts its memory', () => {
    const bare = compile(model).report;
    const { report, project } = compile(model, { frontEnd });
    const bytes = Number(/FEATURES_BYTES (\d+)/.exec(project.get('model_features.h')!)![1]);
    expect(report.sram.frontEnd).toBe(bytes);
    expect(report.sram.total).toBe(bare.sram.total + bytes);
    expect(report.flash.tables).toBeGreaterThan(bare.flash.tables + 2 * frontEnd.window);
    expect(project.get('Makefile')).toContain('model_features.o');
    expect(project.get('CMakeLists.txt')).toContain('model_features.c');
    expect(bare.sram.frontEnd).toBe(0);
  });

  it.runIf(canRun('cortex-m4'))('estimates its flash within 3 %', async () => {
    const compilation = compile(model, { frontEnd, inputMode: 'rows', target: 'cortex-m4' });
    const { memory } = await buildFirmware(soundRequest(compilation, frontEnd, 'cortex-m4'));
    const linked = memory!.flash.text + memory!.flash.rodata;
    expect(Math.abs(compilation.report.flash.total - linked)).toBeLessThan(0.03 * linked);
  });

  it.each([
    ['frames', { ...frontEnd, frames: 3 }],
    ['bands', { ...frontEnd, bands: frontEnd.bands - 1 }],
  ])('refuses another number of %s', (_, wrong) => {
    expect(() => compile(model, { frontEnd: wrong })).toThrow(/RV4006 error: .* for an input of/);
  });

  it('reads it from a file', async () => {
    const folder = temporaryFolder();
    const path = folder.path('sound.json');
    const args = ['compile', DIGITS, '-o', folder.path('out'), '--frontend', path];
    writeFileSync(path, JSON.stringify(frontEnd));
    const { document } = await cliJson<{ files: string[]; sram: { frontEnd: number } }>(...args);
    expect(document.files).toContain(folder.path('out/digits_features.c'));
    expect(document.sram.frontEnd).toBeGreaterThan(1000);
    expect((await cli(...args)).stdout).toMatch(/SRAM .*of it for sound/);
    writeFileSync(path, '{"rate": 16000}');
    const wrong = await cli(...args);
    expect(wrong.stderr).toContain('RV4007 error: nothing where an integer');
    expect(wrong.code).not.toBe(0);
    const missing = await cli('compile', DIGITS, '--frontend', folder.path('none.json'));
    expect(missing.stderr).toContain('RV1006');
    folder.remove();
  });
});

it('rejects what is no front-end', () => {
  const good = { rate: 16000, window: 480, hop: 320, frames: 49, bands: 40, low: 20, high: 4000 };
  const parse = (fields: object) =>
    parseFrontEnd(new TextEncoder().encode(JSON.stringify({ ...good, ...fields })), 'f.json');
  expect(parse({})).toMatchObject({ spectrum: 'power', floor: 1e-6, coefficients: 0, preEmphasis: 0 });
  for (const [fields, says] of [
    [{ hop: 481 }, /leave samples out/],
    [{ high: 8001 }, /above half the rate/],
    [{ low: 4000 }, /bands from 4000 to 4000/],
    [{ bands: 100 }, /band 1 lies between two lines/],
    [{ coefficients: 41 }, /41 coefficients of 40 bands/],
    [{ preEmphasis: 1 }, /preEmphasis/],
    [{ floor: 0 }, /floor/],
    [{ spectrum: 'db' }, /"db" where power or magnitude/],
    [{ window: 5000 }, /integer from 16 to 4096/],
    [{ hops: 1 }, /there is no such field/],
  ] as const) {
    expect(() => parse(fields), JSON.stringify(fields)).toThrow(says);
    expect(() => parse(fields)).toThrow(RivuletError);
  }
});
