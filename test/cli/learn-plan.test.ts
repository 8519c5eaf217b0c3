/** `rivulet learn plan` from data to a scheme that compiles, and what it refuses. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { writeBands } from '../support/bands.ts';
import { cli, cliJson, type ErrorDocument, temporaryFolder } from '../support/cli.ts';

/** Sixteen trials and a plan for each budget that is tried: two minutes on a computer that is busy. */
vi.setConfig({ testTimeout: 300_000 });

const MODEL = 'examples/digits/digits.tflite';
const folder = temporaryFolder();
const [cache, before] = [mkdtempSync(join(tmpdir(), 'rivulet-plan-')), process.env.TMPDIR];

beforeAll(() => {
  process.env.TMPDIR = cache;
  mkdirSync(folder.path('data'));
  writeBands(folder.path('data'), 6, 20);
  mkdirSync(folder.path('one'));
  writeBands(folder.path('one'), 1, 20);
});
afterAll(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  rmSync(cache, { recursive: true, force: true });
  folder.remove();
});

interface Document {
  readonly cost: { readonly sram: number };
  readonly gain: number;
  readonly scheme: { readonly weights: readonly object[] };
  readonly pareto: readonly {
    readonly budget: number;
    readonly gain: number;
    readonly cost: { readonly sram: number };
  }[];
  readonly contributions: object;
  readonly limits: object;
}

const STACK = 1000;
const plan = (...more: string[]): string[] => [
  ...['learn', 'plan', MODEL, '--data', folder.path('data'), '--samples', '24', '--held-out', '40'],
  ...['--rate', '0.01', '--seeds', '1', '--depth', '3', '--points', '2', '--stack', String(STACK)],
  ...['--threads', '1', ...more],
];

describe('learn plan', () => {
  it('writes a scheme that the compiler plans within the budget', async () => {
    const files = ['scheme.json', 'results.json', 'gains.svg'].map(folder.path) as [string, string, string];
    const wanted = ['--budget', '40KB', '-o', files[0], '--results', files[1], '--svg', files[2]];
    const { code, document, stderr } = await cliJson<Document>(...plan(...wanted));
    expect([code, stderr.includes('trials: 16 of 16')]).toEqual([0, true]);
    expect(document.limits).toEqual({ sram: 40 * 1024 });
    expect(document.cost.sram).toBeLessThanOrEqual(40 * 1024);
    const compiled = await cliJson<{ sram: { arena: number; counters: number } }>(
      ...['learn', 'compile', MODEL, '--scheme', files[0], '--target', 'cortex-m4'],
    );
    const { arena, counters } = compiled.document.sram;
    expect(arena + counters + STACK).toBe(document.cost.sram);
    for (const { budget, cost } of document.pareto) expect(cost.sram).toBeLessThanOrEqual(budget);
    const gains = document.pareto.map(({ gain }) => gain);
    expect(gains).toEqual([...new Set(gains)].sort((a, b) => a - b));
    expect(document.scheme.weights.length).toBeGreaterThan(0);
    expect(document.gain).toBeGreaterThanOrEqual(gains.at(-1)!);
    expect(JSON.parse(readFileSync(files[1], 'utf8'))).toEqual(document);
    expect(readFileSync(files[2], 'utf8')).toMatch(/^<svg [\s\S]*<rect [\s\S]*<\/svg>\n$/);
    const again = await cliJson<Document>(...plan('--budget', '40KB'));
    expect(again.stderr).toContain('16 of 16, known from before');
    expect(again.document.scheme).toEqual(document.scheme);
    expect(again.document.contributions).toEqual(document.contributions);
  });

  it('says in text what each budget gives', async () => {
    const { code, stdout } = await cli(...plan('--budget', '30000'));
    expect([code, stdout]).toEqual([0, expect.stringMatching(/budget +SRAM +flash[\s\S]*scheme +biases/)]);
  });

  it.each([
    [['--budget', '2KB'], 'RV5006', /the classifier alone takes \d+ bytes of SRAM, the limit is 2048/],
    [['--budget', '40KB', '--max-instructions', '10'], 'RV5006', /instructions a step, the limit is 10/],
    [['--budget', '40KB', '--classes', '2'], 'RV5001', /2 classes, the data 6/],
    [['--budget', 'much'], 'RV3001', /not a size/],
    [['--budget', '40KB', '--data', folder.path('one')], 'RV4005', /one class/],
    [['--budget', '40KB', '--seeds', '0'], 'RV3001', /"0"/],
  ] as const)('refuses %j', async (options, code, message) => {
    const { document } = await cliJson<ErrorDocument>(...plan(...options));
    const [diagnostic] = document.error.diagnostics;
    expect(diagnostic).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
