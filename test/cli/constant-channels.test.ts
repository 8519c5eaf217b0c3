import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OutputValues } from '../../src/api.ts';
import type { CompileReport } from '../../src/report/compile-report.ts';
import type { Comparison } from '../../src/run/compare.ts';
import { cli, cliJson, temporaryFolder } from '../support/cli.ts';
import { constantChannelsFile } from '../support/models.ts';

const KEEP = '--keep-constant-channels';

const folder = temporaryFolder();
const path = folder.path('constant.tflite');

beforeAll(() => writeFileSync(path, constantChannelsFile()));
afterAll(folder.remove);

describe('channels that no input changes', () => {
  test('are named with what they save and the proof', async () => {
    const { document } = await cliJson<CompileReport>('compile', path);
    expect(document.macs).toBe(16 * 27 * 4 + 64 * 5);
    expect(document.removed).toMatchObject([
      {
        operator: 0,
        op: 'CONV_2D',
        name: 'conv',
        channels: [4, 5, 6, 7],
        of: 8,
        macs: 3456,
        macsSaved: 1728,
      },
      { operator: 1, op: 'FULLY_CONNECTED', channels: [], of: 5, macs: 640, macsSaved: 320 },
    ]);
    expect(document.removed[0]!.proof).toBe('4 always -128, accumulators within [0, 0]');
    const { stdout } = await cli('compile', path, '-o', folder.path('constant'));
    expect(stdout).toContain('4 channels that no input changes are not computed: 2,048 MACs fewer');
    expect(readFileSync(folder.path('constant/report.html'), 'utf8')).toContain(
      '4 always -128, accumulators',
    );
  });

  test(`${KEEP} computes them all`, async () => {
    const { document } = await cliJson<CompileReport>('compile', path, KEEP, '-o', folder.path('kept'));
    expect(document).toMatchObject({ macs: 3456 + 640, removed: [] });
    expect(readFileSync(folder.path('kept/report.html'), 'utf8')).not.toContain('Not computed');
    expect(readFileSync(folder.path('kept/constant.h'), 'utf8')).toContain(KEEP);
  });

  test('make no difference to what comes out, and layers can be compared either way', async () => {
    const outputs = async (...options: string[]) =>
      (await cliJson<{ outputs: OutputValues[] }>('run', path, '--input', 'pattern:3', ...options)).document
        .outputs;
    expect(await outputs(KEEP)).toEqual(await outputs());
    for (const options of [[], [KEEP]]) {
      const executors = ['--a', 'reference', '--b', 'wasm'];
      const { code, document } = await cliJson<Comparison>('diff', path, ...executors, ...options);
      expect([code, document.identical, document.layers]).toEqual([0, true, 2]);
    }
  });
});
