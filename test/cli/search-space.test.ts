/** `rivulet search space`: drawn once, kept, resumed, asked again with other budgets. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Score } from '../../src/nas/stage-one.ts';
import { cli, cliJson, type ErrorDocument, temporaryFolder } from '../support/cli.ts';

interface Document {
  readonly networks: number;
  readonly schedules: Readonly<Record<'whole' | 'rows', { chosen: Score | null; ranking: Score[] }>>;
}

const folder = temporaryFolder();
afterAll(folder.remove);

const PAIRS = 18;
const search = (output: string, ...more: string[]): string[] => {
  const fixed = ['--space', 'fashion', '--samples', '2', '--threads', '1', '--target', 'stm32f746'];
  return ['search', 'space', ...fixed, '-o', output, ...more];
};

describe('search space', () => {
  const output = folder.path('space');
  const samples = join(output, 'samples');

  it('draws every pair, says how long it takes, and keeps what it drew', async () => {
    const { code, stdout, stderr } = await cli(...search(output));
    expect(code).toBe(0);
    expect(stderr.trim().split('\n')).toHaveLength(PAIRS);
    expect(stderr).toMatch(/w0\.2 r20, 1 of 18 pairs, about \d+ s left/);
    expect(stdout).toMatch(/layer by layer: width 0\.\d, resolution \d\d/);
    expect(readdirSync(samples)).toHaveLength(PAIRS);
    expect(readFileSync(join(output, 'cdf-rows.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
  });

  it('goes on where it was stopped, with the same result', async () => {
    const before = JSON.parse(readFileSync(join(output, 'summary.json'), 'utf8')) as Document;
    const file = join(samples, 'w0.2-r20.csv');
    const text = readFileSync(file, 'utf8');
    rmSync(file);
    const { stderr } = await cli(...search(output));
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(readFileSync(file, 'utf8')).toBe(text);
    const after = JSON.parse(readFileSync(join(output, 'summary.json'), 'utf8')) as Document;
    expect(after.schedules).toEqual(before.schedules);
    expect(after.networks).toBe(PAIRS * 2);
  });

  it('answers for another budget with no new planning', async () => {
    const { document, stderr } = await cliJson<Document>(
      ...search(output, '--budget-sram', '6000', '--budget-flash', '200000'),
    );
    expect(stderr).toBe('');
    const { whole, rows } = document.schedules;
    expect(rows.ranking.length).toBeGreaterThan(whole.ranking.length);
    expect(rows.chosen).not.toBeNull();
    expect((await cli(...search(output, '--budget-sram', '100'))).code).toBe(3);
  });

  it('refuses what was kept of another search, and a file that is damaged', async () => {
    const { code, document } = await cliJson<ErrorDocument>(...search(output, '--seed', '2'));
    expect(code).toBe(2);
    expect(document.error.diagnostics[0]!.code).toBe('RV6004');
    const file = join(samples, 'w0.3-r24.csv');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -8));
    const damaged = await cliJson<ErrorDocument>(...search(output));
    expect(damaged.document.error.diagnostics[0]).toMatchObject({ code: 'RV6004', origin: file });
  });

  it.each([
    [['--target', 'cortex-m7'], /sets no limits/],
    [['--target', 'stm32f746', '--space', 'mcunet-v2'], /nothing to choose/],
    [['--target', 'stm32f746', '--space', 'none'], /no search space "none"/],
    [['--target', 'stm32f746', '--samples', '0'], /not a positive integer/],
  ])('refuses %j', async (options, message) => {
    const { code, stderr } = await cli('search', 'space', ...options);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
