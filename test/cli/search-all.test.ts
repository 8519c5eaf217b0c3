/** `rivulet search`: from data to a firmware in one command, which may be stopped; and the commands it is made of. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importTflite } from '../../src/import/tflite.ts';
import { bars } from '../support/bars.ts';
import { cli, cliJson, type ErrorDocument, temporaryFolder } from '../support/cli.ts';
import { npyFile } from '../support/npy.ts';
import { IS_BUILT, start } from '../support/process.ts';
import { ended, REDIS_IS_HERE, said, startRedis } from '../support/redis.ts';
import { SMALL_SPACE } from '../support/small-space.ts';

interface Summary {
  readonly judged: number;
  readonly winner: { readonly cost: { sram: number; flash: number }; readonly accuracy: number };
  readonly finished: {
    readonly test: { accuracy: { float: number; int8: number }; count: number };
    readonly cost: { sram: number; flash: number; macs: number };
    readonly linked: { sram: number; flash: number } | null;
    readonly verified: number | null;
  };
}

const folder = temporaryFolder();
const { path } = folder;
afterAll(folder.remove);

beforeAll(() => {
  for (const [name, count, seed] of [
    ['train', 200, 1],
    ['test', 60, 2],
  ] as const) {
    const data = bars(count, seed);
    const pixels = Uint8Array.from({ length: count * 64 }, (_, i) => data.item(i >> 6).values[i & 63]!);
    writeFileSync(path(`x_${name}.npy`), npyFile('|u1', [count, 8, 8, 1], pixels));
    writeFileSync(path(`y_${name}.npy`), npyFile('<i4', [count], data.labels));
  }
  writeFileSync(path('space.json'), JSON.stringify({ ...SMALL_SPACE, widths: [0.5, 1] }));
  const recipe = { epochs: 2, batch: 16, heldOut: 0.25, average: 0.9 };
  const effort = {
    base: 'small',
    items: null,
    largest: recipe,
    shared: recipe,
    search: { population: 4, iterations: 1, parents: 2 },
    finetune: { ...recipe, heldOut: 0 },
  };
  writeFileSync(path('effort.json'), JSON.stringify(effort));
});

function argv(output: string, ...more: string[]): string[] {
  const chosen = [
    '--space',
    path('space.json'),
    '--effort',
    path('effort.json'),
    '--host',
    'wasm',
    '--threads',
    '1',
  ];
  return ['search', '--data', path('.'), '--target', 'stm32f103', ...chosen, '-o', path(output), ...more];
}

/** A search in the supernet of the steps, to this folder. */
function searchRun(output: string): string[] {
  const chosen = ['--data', path('.'), '--effort', path('effort.json'), '--host', 'wasm'];
  const chip = ['--target', 'stm32f103', '--max-latency', '9'];
  return [
    'search',
    'run',
    ...chosen,
    ...chip,
    '--supernet',
    path('steps/net'),
    '-o',
    path(`steps/${output}`),
  ];
}

function judgedIn(output: string): unknown {
  return (JSON.parse(readFileSync(path(`steps/${output}/search.json`), 'utf8')) as { judged: unknown })
    .judged;
}

describe('rivulet search', () => {
  it('makes a firmware from data, and nothing twice', async () => {
    const first = await cliJson<Summary>(...argv('out', '--max-latency', '9'));
    expect(first.code).toBe(0);
    expect(first.stderr).toContain('generation 1 of 1: 8 networks');
    const { judged, winner, finished } = first.document;
    expect(judged).toBe(8);
    expect(finished.test).toMatchObject({ count: 60 });
    expect(finished.test.accuracy.int8).toBeGreaterThan(0.9);
    expect(finished.cost.sram).toBe(winner.cost.sram);
    if (finished.linked !== null) expect(finished.linked.sram).toBe(winner.cost.sram);
    expect([null, 3]).toContain(finished.verified);
    const model = readFileSync(path('out/winner.tflite'));
    expect(importTflite(new Uint8Array(model), 'winner').graph.outputs).toHaveLength(1);
    const files = ['supernet/weights.safetensors', 'search/front.svg', 'search/winner.json', 'summary.json'];
    for (const file of [...files, 'winner.safetensors', 'firmware/report.json']) {
      expect(existsSync(path(`out/${file}`)), file).toBe(true);
    }
    // What was lost is made again, what was kept is not.
    rmSync(path('out/winner.tflite'));
    const again = await cliJson<Summary>(...argv('out', '--max-latency', '9'));
    expect(again.stderr).not.toContain('epoch');
    expect(again.document.finished).toEqual(first.document.finished);
    expect(readFileSync(path('out/winner.tflite')).equals(model)).toBe(true);
  });

  it('tells what came out', async () => {
    const { stdout } = await cli(...argv('out', '--max-latency', '9'));
    expect(stdout).toMatch(/accuracy {3}int8 \d+\.\d\d %, float32 \d+\.\d\d % \(60 items for testing\)/);
    expect(stdout).toMatch(/SRAM {7}[\d,]+ B of 20,480 B, schedule whole/);
    expect(stdout).toMatch(/latency {4}about \d\.\d ms \(estimate\) of 9 ms/);
  });

  it('is as many commands, with the same result', async () => {
    const common = ['--data', path('.'), '--effort', path('effort.json'), '--host', 'wasm'];
    const space = JSON.parse(readFileSync(path('out/supernet/space.json'), 'utf8')) as { widths: number[] };
    const width = ['--space', path('space.json'), '--width', String(space.widths[0])];
    const [net, run] = [path('steps/net'), path('steps/run')];
    expect((await cli('search', 'train', ...common, ...width, '-o', net)).code).toBe(0);
    const searched = await cli(...searchRun('run'), '--threads', '1');
    expect(searched.code).toBe(0);
    expect(searched.stdout).toContain('8 networks were judged');
    const finished = ['search', 'finish', ...common, '--search', run, '--supernet', net];
    const { document } = await cliJson<Summary['finished']>(...finished, '-o', path('steps/end'));
    const summary = JSON.parse(readFileSync(path('out/summary.json'), 'utf8')) as Summary;
    expect(document.test).toEqual(summary.finished.test);
    for (const file of ['winner.safetensors', 'winner.tflite']) {
      expect(readFileSync(path(`steps/end/${file}`)).equals(readFileSync(path(`out/${file}`)))).toBe(true);
    }
  });

  it.skipIf(!IS_BUILT)('finds the same in threads', async () => {
    const { child, text } = start(...searchRun('threads'), '--threads', '2');
    await ended(child);
    expect([child.exitCode, text()]).toEqual([0, expect.stringContaining('8 networks were judged')]);
    expect(judgedIn('threads')).toEqual(judgedIn('run'));
  });

  it.skipIf(!IS_BUILT || !REDIS_IS_HERE)('finds the same by three workers, one of them killed', async () => {
    const redis = await startRedis();
    const names = ['oak', 'elm', 'ash'];
    const workers = names.map((name) =>
      start('worker', '--redis', redis.url, '--threads', '1', '--name', name),
    );
    try {
      await Promise.all(workers.map(({ child }) => said(child, /waits for jobs/)));
      const { child, text } = start(...searchRun('far'), '--workers', redis.url);
      const [oak] = workers;
      await said(oak!.child, /search-judge: begun/);
      await ended(oak!.child, 'SIGKILL');
      await ended(child);
      expect([child.exitCode, text()]).toEqual([0, expect.stringContaining('8 networks were judged')]);
    } finally {
      await Promise.all([...workers.map(({ child }) => ended(child, 'SIGKILL')), redis.stop()]);
    }
    expect(judgedIn('far')).toEqual(judgedIn('run'));
  });

  it('writes a baseline that "rivulet train" and "rivulet quantize" take', async () => {
    const baseline = ['search', 'baseline', '--space', path('space.json'), '--target', 'stm32f103'];
    const file = path('mbv2.json');
    const { document } = await cliJson<{ width: number; cost: { flash: number } }>(
      ...[...baseline, '--max-flash', '80000', '-o', file],
    );
    expect(document.cost.flash).toBeLessThanOrEqual(80_000);
    expect(document.cost.flash).toBeGreaterThan(60_000);
    writeFileSync(path('recipe.json'), JSON.stringify({ epochs: 1, batch: 16 }));
    const host = ['--host', 'wasm', '--recipe', path('recipe.json')];
    expect((await cli('train', file, '--data', path('.'), ...host, '-o', path('trained.json'))).code).toBe(0);
    const quantized = await cliJson<{ accuracy: { float: number } }>(
      ...['quantize', path('trained.json'), '--data', path('.'), '-o', path('mbv2.tflite')],
    );
    expect(quantized.code).toBe(0);
    expect(existsSync(path('mbv2.tflite'))).toBe(true);
  });

  it.each([
    [['--max-sram', '100'], 'RV6003'],
    [['--target', 'cortex-m4'], 'RV3001'],
    [['--effort', 'enormous'], 'RV3001'],
    [['--space', 'nowhere'], 'RV3001'],
    [['--max-latency', 'soon'], 'RV3001'],
  ])('refuses %j', async (more, code) => {
    const { document } = await cliJson<ErrorDocument>(...argv('refused'), ...more);
    expect(document.error.diagnostics[0]!.code).toBe(code);
  });

  it.each([
    ['kernels', [3, 4]],
    ['widths', [1, 0.5]],
    ['stages', []],
    ['classes', 1],
  ])('refuses a space whose %s are %j', async (field, value) => {
    writeFileSync(path('wrong.json'), JSON.stringify({ ...SMALL_SPACE, [field]: value }));
    const { document } = await cliJson<ErrorDocument>(...argv('refused'), '--space', path('wrong.json'));
    expect(document.error.diagnostics[0]).toMatchObject({ code: 'RV6005' });
    expect(document.error.diagnostics[0]!.origin).toContain(field);
  });

  it.each([
    [{ base: 'tiny' }, 'base'],
    [{ epochs: 3 }, 'epochs'],
    [{ search: { parents: 0 } }, 'parents'],
    [{ largest: { seed: 2 } }, 'effort'],
  ])('refuses the effort %j', async (effort, named) => {
    writeFileSync(path('wrong-effort.json'), JSON.stringify(effort));
    const wrong = ['--effort', path('wrong-effort.json')];
    const { document } = await cliJson<ErrorDocument>(...argv('refused'), ...wrong);
    expect(document.error.diagnostics[0]).toMatchObject({ code: 'RV5001' });
    expect(document.error.diagnostics[0]!.origin).toContain(named);
  });
});
