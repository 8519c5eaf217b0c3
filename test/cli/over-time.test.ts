/** `--stream-axis time` on the command line, with a model whose 8 rows are frames: a hop is 2 of them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OutputValues } from '../../src/api.ts';
import { patternBytes } from '../../src/core/random.ts';
import type { CompileReport } from '../../src/report/compile-report.ts';
import type { ProfileReport } from '../../src/run/profile-report.ts';
import { cli, cliJson, type ErrorDocument, temporaryFolder } from '../support/cli.ts';
import { canRun } from '../support/firmware.ts';
import { tinyModelFile } from '../support/models.ts';
import { npyFile } from '../support/npy.ts';

interface Windows {
  readonly windows: readonly { frames: number; outputs: readonly OutputValues[] }[];
}

const FRAME = 8 * 3;
const FRAMES = 13;
const TIME = ['--stream-axis', 'time'];

const folder = temporaryFolder();
const model = folder.path('tiny.tflite');
const stream = folder.path('stream.npy');
const raw = patternBytes(FRAMES * FRAME, 3);

beforeAll(() => {
  writeFileSync(model, tinyModelFile());
  writeFileSync(stream, npyFile('|i1', [FRAMES, 8, 3], raw));
});
afterAll(folder.remove);

test('compile writes push_frame, and says what a window costs', async () => {
  const { code, document } = await cliJson<CompileReport>(
    'compile',
    model,
    '-o',
    folder.path('out'),
    ...TIME,
  );
  expect(code).toBe(0);
  expect(document.sliding).toMatchObject({ windowFrames: 8, hopFrames: 2 });
  expect(document.macs).toBeLessThan(document.sliding!.windowMacs);
  expect(document.layers.find(({ op }) => op === 'CONV_2D')).toMatchObject({ rows: { computed: 2, all: 4 } });
  const header = readFileSync(folder.path('out/tiny.h'), 'utf8');
  expect(header).toContain(
    'int tiny_push_frame(const int8_t frame[24], int8_t *output_0, tiny_arena *memory);',
  );
  const { stdout } = await cli('compile', model, ...TIME);
  expect(stdout).toContain('a window of 8 frames every 2');
  expect(stdout).toContain('2 of 4');
});

test.each([
  'reference',
  'wasm',
  'native',
])('run gives every window the outputs it has alone, on %s', async (on) => {
  const { code, document } = await cliJson<Windows>('run', model, '--input', stream, '--on', on, ...TIME);
  expect(code).toBe(0);
  expect(document.windows.map(({ frames }) => frames)).toEqual([8, 10, 12]);
  for (const { frames, outputs } of document.windows) {
    const alone = folder.path(`until-${frames}.bin`);
    writeFileSync(alone, raw.subarray((frames - 8) * FRAME, frames * FRAME));
    const single = await cliJson<{ outputs: readonly OutputValues[] }>('run', model, '--input', alone);
    expect(outputs).toEqual(single.document.outputs);
  }
});

test('run prints a line for each window', async () => {
  const { stdout } = await cli('run', model, '--input', stream, ...TIME, '--hop', '4');
  expect(stdout).toMatch(/after frame +largest +value +real\n +8 .*\n +12 /);
});

test.skipIf(!canRun('cortex-m4'))('profile counts a window that follows another', async () => {
  const target = ['--target', 'cortex-m4'];
  const { document: whole } = await cliJson<ProfileReport>('profile', model, ...target);
  const { document: next } = await cliJson<ProfileReport>('profile', model, ...target, ...TIME);
  expect(next.instructions).toBeLessThan(whole.instructions);
  const conv = ({ layers }: ProfileReport): number => layers.find(({ op }) => op === 'CONV_2D')!.instructions;
  // Two rows of four.
  expect(conv(next) / conv(whole)).toBeCloseTo(0.5, 1);
});

test.each([
  ['too few frames', ['run', '--input', 'short.bin', ...TIME], 'RV3002', '--input'],
  ['a picture', ['run', '--input', 'picture.png', ...TIME], 'RV3002', '--input'],
  ['layers compared', ['diff', '--a', 'wasm', '--b', 'reference', ...TIME], 'RV3001', '--stream-axis time'],
  ['a schedule beside it', ['compile', '--schedule', 'stream', ...TIME], 'RV3001', '--schedule'],
  ['rows beside it', ['compile', '--input-mode', 'rows', ...TIME], 'RV3001', '--input-mode'],
  ['another axis', ['compile', '--stream-axis', 'width'], 'RV3001', '--stream-axis'],
  ['a hop without time', ['compile', '--hop', '2'], 'RV3001', '--hop'],
  ['a hop between strides', ['compile', '--hop', '3', ...TIME], 'RV2009', 'CONV_2D'],
] as const)('%s is refused', async (_, [verb, ...args], code, origin) => {
  writeFileSync(folder.path('short.bin'), raw.subarray(0, 7 * FRAME));
  const paths = args.map((arg) => (/\.(bin|png)$/.test(arg) ? folder.path(arg) : arg));
  const { document } = await cliJson<ErrorDocument>(verb, model, ...paths);
  const [diagnostic] = document.error.diagnostics;
  expect(diagnostic).toMatchObject({ code, hint: expect.any(String) });
  expect(diagnostic!.origin).toContain(origin);
});
