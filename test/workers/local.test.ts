/** Work in this process and in threads. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { IN_PROCESS } from '../../src/workers/in-process.ts';
import { Recent } from '../../src/workers/recent.ts';
import type { Workers } from '../../src/workers/workers.ts';
import { BLOBS, BUILT, KINDS, MIXES, REGISTRY } from '../support/work.ts';

const threads: Workers[] = [];
afterAll(() => Promise.all(threads.map((workers) => workers.close())));

async function threadWorkers(count: number): Promise<Workers> {
  const { ThreadWorkers } = (await import(
    join(BUILT, 'workers/threads.js')
  )) as typeof import('../../src/workers/threads.ts');
  const workers = new ThreadWorkers(count, REGISTRY);
  threads.push(workers);
  return workers;
}

const ALL: [string, () => Promise<Workers>][] = [
  ['in this process', async () => IN_PROCESS],
  ['in threads', () => threadWorkers(2)],
];

describe.skipIf(!existsSync(BUILT)).each(ALL)('work %s', (_, open) => {
  it('has results in the order of the jobs, told as they come', async () => {
    const workers = await open();
    const seen: number[] = [];
    const onResult = (_: unknown, job: number): void => void seen.push(job);
    const results = await workers.map({ kind: KINDS.mix, jobs: MIXES, blobs: BLOBS, onResult });
    expect(results).toEqual(await Promise.all(MIXES.map((job) => KINDS.mix.run(job, BLOBS))));
    expect(seen.sort((a, b) => a - b)).toEqual(MIXES.map((_, i) => i));
  });

  it('ends with the first error, and begins no job after it', async () => {
    const workers = await open();
    const jobs = [0, 1, -2, ...Array<number>(40).fill(5)].map((item) => ({ item }));
    const seen: number[] = [];
    const onResult = (_: unknown, job: number): void => void seen.push(job);
    const failing = workers.map({ kind: KINDS.refuse, jobs, blobs: {}, onResult });
    const diagnostics = [
      { code: 'RV4002', severity: 'error', message: 'item -2 is none', origin: 'items', hint: 'begin at 0' },
    ];
    await expect(failing).rejects.toMatchObject({ name: 'RivuletError', diagnostics });
    expect(seen.length).toBeLessThanOrEqual(2 + workers.parallel);
    expect(await workers.map({ kind: KINDS.refuse, jobs: [{ item: 3 }], blobs: {} })).toEqual([3]);
  });

  it('has nothing to do', async () => {
    expect(await (await open()).map({ kind: KINDS.mix, jobs: [], blobs: BLOBS })).toEqual([]);
  });

  it('ends with what onResult throws', async () => {
    const onResult = (): never => {
      throw new Error('enough');
    };
    const failing = (await open()).map({ kind: KINDS.mix, jobs: MIXES, blobs: BLOBS, onResult });
    await expect(failing).rejects.toThrow('enough');
  });
});

describe.skipIf(!existsSync(BUILT))('threads', () => {
  it('get blobs once, in memory that they share, also in later batches', async () => {
    const workers = await threadWorkers(1);
    const look = (data: Uint8Array, other = Uint8Array.of(0)) =>
      workers.map({ kind: KINDS.look, jobs: Array.from({ length: 20 }, () => ({})), blobs: { data, other } });
    const first = await look(Uint8Array.of(7, 8));
    expect(first).toEqual(Array(20).fill({ shared: true, objects: 1, first: 7 }));
    expect(await look(Uint8Array.of(7, 8))).toEqual(first);
    // Whatever comes with them.
    expect(await look(Uint8Array.of(7, 8), Uint8Array.of(1))).toEqual(first);
    const changing = Uint8Array.of(9, 8);
    expect((await look(changing))[0]).toEqual({ shared: true, objects: 2, first: 9 });
    // Bytes that have changed are other bytes.
    changing[0] = 1;
    expect((await look(changing))[0]).toEqual({ shared: true, objects: 3, first: 1 });
  });

  it('that end are an error with a number, and others take their place', async () => {
    const workers = await threadWorkers(2);
    const leaving = workers.map({ kind: KINDS.leave, jobs: [{}], blobs: {} });
    await expect(leaving).rejects.toThrow(/RV7004.*"leave" has ended its thread/);
    expect(await workers.map({ kind: KINDS.refuse, jobs: [{ item: 1 }], blobs: {} })).toEqual([1]);
  });

  it('say where a job stumbled, and refuse a kind that nobody knows', async () => {
    const workers = await threadWorkers(1);
    const stumbling = workers.map({ kind: KINDS.stumble, jobs: [{}], blobs: {} });
    await expect(stumbling).rejects.toThrow(/RV9005(.|\n)*work-kinds\.mjs/);
    const unknown = { ...KINDS.mix, name: 'toString' };
    await expect(workers.map({ kind: unknown, jobs: MIXES, blobs: BLOBS })).rejects.toThrow(
      'no kind of work is called "toString"',
    );
  });
});

it('keeps what was asked for last', () => {
  const recent = new Recent<string[]>(2);
  const ask = (key: string): string[] => recent.get(key, () => [key]);
  const [a, b] = [ask('a'), ask('b')];
  expect(ask('a')).toBe(a);
  ask('c');
  expect(ask('a')).toBe(a);
  expect(ask('b')).not.toBe(b);
});
