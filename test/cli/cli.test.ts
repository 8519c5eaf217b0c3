import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OutputValues } from '../../src/api.ts';
import { main } from '../../src/cli/main.ts';
import { asBytes } from '../../src/core/dtype.ts';
import { patternBytes } from '../../src/core/random.ts';
import type { InspectReport } from '../../src/inspect.ts';
import type { CompileReport } from '../../src/report/compile-report.ts';
import type { Comparison } from '../../src/run/compare.ts';
import type { ProfileReport } from '../../src/run/profile-report.ts';
import { canRun } from '../../src/run/toolchain.ts';
import { findTarget } from '../../src/targets/index.ts';
import { cli, cliJson, type ErrorDocument, temporaryFolder } from '../support/cli.ts';
import { tinyModelFile, unsupportedModelFile } from '../support/models.ts';

interface RunDocument {
  readonly executor: string;
  readonly machine: string;
  readonly outputs: readonly OutputValues[];
}

const folder = temporaryFolder();
const model = folder.path('tiny.tflite');
const unsupported = folder.path('unsupported.tflite');
const canQemu = await canRun(findTarget('cortex-m4').core);

beforeAll(() => {
  writeFileSync(model, tinyModelFile());
  writeFileSync(unsupported, unsupportedModelFile());
});
afterAll(folder.remove);

describe('inspect', () => {
  test('--json describes the model', async () => {
    const { code, document } = await cliJson<InspectReport>('inspect', model);
    expect(code).toBe(0);
    expect(document).toMatchObject({
      file: 'tiny.tflite',
      format: 'tflite',
      compilable: true,
      macs: 64 * 27 + 320,
      parameters: 108 + 4 + 320 + 5,
      parameterBytes: 108 + 16 + 320 + 20,
      unsupported: [],
    });
    expect(document.operators.map(({ op, macs, parameters }) => [op, macs, parameters])).toEqual([
      ['CONV_2D', 64 * 27, 112],
      ['FULLY_CONNECTED', 320, 325],
    ]);
    const [image, weights] = document.operators[0]!.inputs;
    expect(image).toMatchObject({
      shape: [1, 8, 8, 3],
      quantization: { kind: 'per-tensor', zeroPoint: -128 },
    });
    expect(weights).toMatchObject({ constant: true, quantization: { kind: 'per-channel', channels: 4 } });
  });

  test('everything that is unsupported is named at once, and the rest is still described', async () => {
    const { code, document } = await cliJson<InspectReport>('inspect', unsupported);
    expect(code).toBe(2);
    expect(document.compilable).toBe(false);
    expect(document.unsupported.map((d) => d.message)).toEqual([
      'GELU is not supported',
      'CUSTOM Twist is not supported',
    ]);
    expect(document.unsupported.every((d) => d.hint !== undefined)).toBe(true);
    expect(document.operators.map((o) => [o.supported, o.macs, o.problems.length])).toEqual([
      [true, 1728, 0],
      [true, 320, 0],
      [false, null, 1],
      [false, null, 1],
    ]);
  });

  test('the table is aligned and says what is in the way', async () => {
    const { stdout } = await cli('inspect', unsupported);
    expect(stdout).toMatch(/^2 +GELU +1x5 +int8 +\? +0 +- +NO +gelu$/m);
    expect(stdout).toContain(
      'the model cannot be compiled: 2 problems\nRV2001 error: GELU is not supported\n',
    );
    expect(stdout).not.toMatch(/\p{Cc}(?<!\n)/u);
  });
});

describe('compile', () => {
  test('--json is the report', async () => {
    const { code, document } = await cliJson<CompileReport>('compile', model, '--target', 'rp2040');
    expect(code).toBe(0);
    expect(document).toMatchObject({ target: 'rp2040', macs: 2048, fit: { fits: true } });
    const { arena, state, io, scratch, total } = document.sram;
    expect(arena + state + io + scratch).toBe(total);
    // Two pairs of channels with 27 taps each, filled up to 56 bytes, and their 20 bytes of constants; the dense layer.
    expect(document.flash.weights).toBe(2 * (56 + 20) + 320 + 20);
    expect(document.layers.map(({ index, name, op, macs }) => [index, name, op, macs])).toEqual([
      [0, 'conv', 'CONV_2D', 1728],
      [1, 'dense', 'FULLY_CONNECTED', 320],
    ]);
    const { latency, layers } = document;
    expect(latency!.instructions).toBe(layers.reduce((sum, layer) => sum + layer.instructions!, 0));
    for (const { sram, kernel, why } of document.layers) {
      expect(sram).toBeGreaterThan(0);
      expect([kernel, why]).not.toContain('');
    }
  });

  test('a latency is called an estimate, and the host has none', async () => {
    const board = await cli('compile', model, '--target', 'f746');
    expect(board.stdout).toMatch(/^latency: about [\d.]+ ms \(estimate, STM32F746xG at 216 MHz\)$/m);
    expect((await cli('compile', model)).stdout).not.toContain('latency');
  });

  test('-o writes the project and its report, and nothing else', async () => {
    const out = folder.path('project');
    const { code, document } = await cliJson<{ files: string[] }>(
      'compile',
      model,
      '-o',
      out,
      '--name',
      'net',
    );
    expect(code).toBe(0);
    expect(document.files.map((path) => path.slice(out.length + 1)).sort()).toEqual(readdirSync(out).sort());
    expect(readdirSync(out)).toEqual(expect.arrayContaining(['net.c', 'net.h', 'rivulet.h', 'report.json']));
    const report = JSON.parse(readFileSync(`${out}/report.json`, 'utf8')) as CompileReport;
    expect(document).toMatchObject(report);
  });

  test('a model that does not fit is written all the same and ends with 3', async () => {
    const out = folder.path('too-large');
    const small = 'microbit';
    const { sram } = findTarget(small);
    const { code, stdout, stderr } = await cli('compile', largeModel(sram!), '-o', out, '--target', small);
    expect(code).toBe(3);
    expect(stdout).toContain('DOES NOT FIT 16,384 B');
    expect(stderr).toMatch(
      /RV3006 error: [\d,]+ B of SRAM are needed, microbit has 16,384 B: [\d,]+ B too many/,
    );
    expect(stderr).toMatch(/at layer \d+ \(CONV_2D\) "conv", which sets the peak/);
    expect(readdirSync(out)).toContain('report.json');
  });

  test.each([
    [['--target', 'rp2041'], 'RV3003', 'rp2040'],
    [['--io', 'int4'], 'RV3001', 'int8, float'],
    [['--optimize', 'fun'], 'RV3001', 'speed, size'],
    [['--schedule', 'later'], 'RV3001', 'whole'],
    [['--name', '1st'], 'RV3001', 'starting with a letter'],
    [['--traget', 'm4'], 'RV3001', 'Did you mean --target?'],
  ])('%j is refused with a hint', async (options, code, hint) => {
    const { document, ...outcome } = await cliJson<ErrorDocument>('compile', model, ...options);
    expect(outcome.code).toBe(2);
    expect(document.error.diagnostics[0]).toMatchObject({ code, hint: expect.stringContaining(hint) });
  });

  test('a folder that cannot be written is RV3005', async () => {
    const { code, stderr } = await cli('compile', model, '-o', model);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^RV3005 error: the project cannot be written/);
  });
});

describe('run', () => {
  const input = folder.path('input.bin');
  beforeAll(() => writeFileSync(input, asBytes(patternBytes(192, 3))));

  test('--json has the outputs, the same on the reference', async () => {
    const { code, document } = await cliJson<RunDocument>('run', model, '--input', input);
    expect(code).toBe(0);
    expect(document).toMatchObject({ executor: 'wasm', machine: 'host' });
    const [output] = document.outputs;
    expect(output).toMatchObject({ name: 'dense', shape: [1, 5], dtype: 'int8', zeroPoint: 3 });
    expect(output!.scale).toBeCloseTo(0.2);
    expect(new Set(output!.values).size).toBeGreaterThan(1);
    const reference = await cliJson<RunDocument>('run', model, '--input', 'pattern:3', '--on', 'reference');
    expect(reference.document.outputs).toEqual(document.outputs);
  });

  test('text shows raw and real values', async () => {
    const { stdout } = await cli('run', model, '--input', input);
    expect(stdout).toMatch(
      /^tiny on wasm\noutput "dense" int8 1x5, scale 0\.2, zero point 3\nindex +value +real/,
    );
    expect(stdout.match(/largest/g)).toHaveLength(1);
  });

  test.skipIf(!canQemu)('on QEMU', async () => {
    const argv = ['run', model, '--input', input];
    const { document } = await cliJson<RunDocument>(...argv, '--on', 'qemu', '--target', 'stm32f412');
    expect(document).toMatchObject({ executor: 'qemu:cortex-m4', machine: 'mps2-an386' });
    expect(document.outputs).toEqual((await cliJson<RunDocument>(...argv)).document.outputs);
  });

  test.each([
    [[], 'RV3002', '--input pattern'],
    [['--input', folder.path('none.bin')], 'RV1006', undefined],
    [['--input', input, '--input', input], 'RV3002', 'int8 [1, 8, 8, 3]'],
    [['--input', 'pattern', '--on', 'gpu'], 'RV3001', 'reference, wasm, native, qemu'],
    [['--input', 'pattern', '--on', 'qemu'], 'RV3001', '--target'],
    [['--input', 'pattern', '--mean', '1/x'], 'RV3001', undefined],
  ])('%j is refused', async (options, code, hint) => {
    const { document, ...outcome } = await cliJson<ErrorDocument>('run', model, ...options);
    expect(outcome.code).toBe(2);
    const [diagnostic] = document.error.diagnostics;
    expect(diagnostic!.code).toBe(code);
    if (hint !== undefined) expect(diagnostic!.hint).toContain(hint);
  });
});

describe('profile', () => {
  test.skipIf(!canQemu)('--json has what was measured', async () => {
    const { code, document } = await cliJson<ProfileReport & RunDocument>(
      'profile',
      model,
      '--target',
      'nrf52840',
    );
    expect(code).toBe(0);
    const { instructions, cyclesEstimate, sram, flash, layers, clockHz, latencyEstimateMs } = document;
    expect(document).toMatchObject({ target: 'nrf52840', core: 'cortex-m4', machine: 'mps2-an386' });
    const inLayers = layers.reduce((sum, layer) => sum + layer.instructions, 0);
    expect(instructions).toBeGreaterThanOrEqual(inLayers);
    expect(inLayers).toBeGreaterThan(2048);
    expect(latencyEstimateMs).toBeCloseTo((cyclesEstimate / clockHz) * 1000);
    const { document: compiled } = await cliJson<CompileReport>('compile', model);
    expect(sram.data + sram.bss).toBe(compiled.sram.total);
    expect(sram.stack).toBeGreaterThan(0);
    expect(flash.text + flash.rodata).toBeGreaterThan(compiled.flash.weights);
    const { document: ran } = await cliJson<RunDocument>('run', model, '--input', 'pattern');
    expect(document.outputs).toEqual(ran.outputs);
  });

  test.each([[[]], [['--target', 'host']]])('%j names no core to measure', async (options) => {
    const { code, stderr } = await cli('profile', model, ...options);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^RV3001 error: .*\n {2}at --target\n {2}hint: .*--target cortex-m4/);
  });
});

describe('diff', () => {
  test('executors that agree', async () => {
    const argv = ['diff', model, '--a', 'reference', '--b', 'wasm'];
    const { code, document } = await cliJson<Comparison>(...argv);
    expect(code).toBe(0);
    expect(document).toMatchObject({
      a: 'reference',
      b: 'wasm',
      identical: true,
      layers: 2,
      difference: null,
    });
    const text = 'reference and wasm agree on every byte of 2 layers and the outputs\n';
    expect((await cli(...argv)).stdout).toBe(text);
  });

  test('a core belongs to qemu only', async () => {
    const { code, stderr } = await cli('diff', model, '--a', 'wasm:m4', '--b', 'native');
    expect(code).toBe(2);
    expect(stderr).toContain('at --a');
  });
});

describe('targets', () => {
  test('--json lists cores, boards and tools', async () => {
    const { code, document } = await cliJson<{
      targets: { name: string; kind: string; sram: number | null; executors: string[] }[];
      tools: { name: string; available: boolean }[];
    }>('targets');
    expect(code).toBe(0);
    const named = (name: string) => document.targets.find((target) => target.name === name);
    expect(named('cortex-m4')).toMatchObject({ kind: 'core', sram: null });
    expect(named('rp2040')).toMatchObject({ kind: 'board', sram: 264 * 1024 });
    for (const { executors } of document.targets)
      expect(executors).toEqual(expect.arrayContaining(['reference', 'wasm']));
    expect(named('cortex-m4')!.executors.includes('qemu')).toBe(canQemu);
  });

  test('as a table', async () => {
    expect((await cli('targets')).stdout).toMatch(/^rp2040 +cortex-m0plus +133 MHz +264 KiB +2048 KiB /m);
  });
});

describe('bad files', () => {
  const verbs: [string, string[]][] = [
    ['inspect', []],
    ['compile', []],
    ['run', ['--input', 'pattern']],
    ['profile', ['--target', 'm4']],
    ['diff', ['--a', 'wasm', '--b', 'reference']],
  ];
  const files: [string, string, () => Uint8Array | undefined][] = [
    ['a file that does not exist', 'RV1006', () => undefined],
    ['an empty file', 'RV1001', () => new Uint8Array()],
    ['a text', 'RV1001', () => new TextEncoder().encode('hello, this is no model at all\n')],
    ['half a model', 'RV1002', () => tinyModelFile().slice(0, 400)],
  ];
  for (const [verb, options] of verbs) {
    test.each(files)(`${verb}: %s`, async (name, code, content) => {
      const path = folder.path(`${name}.tflite`);
      const bytes = content();
      if (bytes !== undefined) writeFileSync(path, bytes);
      const { document, ...outcome } = await cliJson<ErrorDocument>(verb, path, ...options);
      expect(outcome.code).toBe(2);
      expect(document.error.diagnostics.map((d) => d.code)).toEqual([code]);
    });

    test(`${verb}: a folder`, async () => {
      mkdirSync(folder.path('folder'), { recursive: true });
      const { code, stderr, stdout } = await cli(verb, folder.path('folder'), ...options);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^RV1006 error: ".*" is a folder\n {2}at MODEL\n/);
    });

    if (verb !== 'inspect') {
      test(`${verb}: an unsupported model`, async () => {
        const { document, ...outcome } = await cliJson<ErrorDocument>(verb, unsupported, ...options);
        expect(outcome.code).toBe(2);
        expect(document.error.diagnostics.map((d) => d.code)).toEqual(['RV2001', 'RV2001']);
        expect(document.error.diagnostics[0]!.origin).toBe('operator 2 (GELU) "gelu"');
      });
    }
  }
});

describe('usage', () => {
  test('help and version', async () => {
    expect(await cli('--help')).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('profile'),
    });
    expect(await cli('run', '--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('--mean') });
    expect(await cli('--version')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  test.each([
    [[], 'no verb is given'],
    [['inspct', 'x'], "unknown command 'inspct'"],
    [['inspect'], 'missing required argument'],
    [['inspect', 'a', 'b'], 'too many arguments'],
    [['diff', 'x', '--a', 'wasm'], "required option '--b <executor>'"],
  ])('%j', async (argv, message) => {
    const { code, stdout, stderr } = await cli(...argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^RV3001 error: /);
    expect(stderr).toContain(message);
    expect(stderr).toContain('hint: ');
  });

  test('a fault of Rivulet asks for a report and ends with 1', async () => {
    const stderr: string[] = [];
    const stdout = () => {
      throw new TypeError('the stream broke');
    };
    const code = await main(['targets'], { stdout, stderr: (text) => stderr.push(text), colour: false });
    expect(code).toBe(1);
    expect(stderr.join('')).toMatch(/^RV9005 error: the stream broke\n.*please report/);
  });
});

/** A model file like the tiny one whose convolution needs more than `bytes` of SRAM. */
function largeModel(bytes: number): string {
  const path = folder.path('large.tflite');
  writeFileSync(path, tinyModelFile(Math.ceil(Math.sqrt(bytes / 3 / 8)) * 8));
  return path;
}
