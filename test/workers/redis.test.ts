/** Work on other machines: a Redis of this test, worker processes of which some are killed, and what may go wrong. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IN_PROCESS } from '../../src/workers/in-process.ts';
import type { Workers } from '../../src/workers/workers.ts';
import { ended, freePort, REDIS_IS_HERE, said, startRedis, type TestRedis } from '../support/redis.ts';
import { BLOBS, BUILT, KINDS, MIXES, REGISTRY } from '../support/work.ts';

const HERE = REDIS_IS_HERE && existsSync(BUILT);
const SCRIPT = join(import.meta.dirname, '../support/worker-process.mjs');
/** Much is short; patience is for machines that are busy. */
const TIMING = { lock: 1000, beat: 1000, sweep: 300, outage: 6000, patience: 60_000, grace: 300 };

let redis: TestRedis;
const processes: ChildProcess[] = [];
const masters: Workers[] = [];

beforeEach(async () => {
  if (HERE) redis = await startRedis();
});
afterEach(async () => {
  await Promise.all(masters.splice(0).map((master) => master.close()));
  await Promise.all(processes.splice(0).map((child) => ended(child, 'SIGKILL')));
  await redis?.stop();
});

interface MasterOptions {
  readonly url?: string;
  readonly told?: string[];
  readonly patience?: number;
}

async function master({
  url = redis.url,
  told = [],
  patience = TIMING.patience,
}: MasterOptions = {}): Promise<Workers> {
  const [{ RedisWorkers }, { parseRedisAddress }] = (await Promise.all([
    import(join(BUILT, 'workers/redis/master.js')),
    import(join(BUILT, 'workers/redis/address.js')),
  ])) as [
    typeof import('../../src/workers/redis/master.ts'),
    typeof import('../../src/workers/redis/address.ts'),
  ];
  const workers = await RedisWorkers.open({
    address: parseRedisAddress(url, 'test'),
    registry: REGISTRY,
    native: async () => 'here',
    tell: (text) => told.push(text),
    timing: { ...TIMING, patience },
  });
  masters.push(workers);
  return workers;
}

/** A worker process that is ready. */
async function worker(name: string, options: object = {}): Promise<ChildProcess> {
  const all = { url: redis.url, name, threads: 1, timing: TIMING, ...options };
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(all)]);
  processes.push(child);
  await said(child, /ready/);
  return child;
}

/** Jobs that no other test has had, so that none is known. */
let salt = 0;
const fresh = (): typeof MIXES => {
  salt += 1000;
  return MIXES.map(({ from, rounds }) => ({ from: from + salt, rounds }));
};

describe.skipIf(!HERE)(
  HERE ? 'workers by way of Redis' : 'skipped: redis-server or the build is missing',
  () => {
    it('give what one process gives, also when one of three is killed in the middle', async () => {
      const [first] = await Promise.all(['ash', 'elm', 'oak'].map((name) => worker(name)));
      const jobs = fresh();
      const expected = await IN_PROCESS.map({ kind: KINDS.mix, jobs, blobs: BLOBS });
      let done = 0;
      const places = new Set<number>();
      const onResult = (_: unknown, place: number): void => {
        places.add(place);
        if (++done === 15) first!.kill('SIGKILL');
      };
      const told: string[] = [];
      const workers = await master({ told });
      expect(workers.parallel).toBe(3);
      expect(await workers.map({ kind: KINDS.mix, jobs, blobs: BLOBS, onResult })).toEqual(expected);
      expect([done, places.size, first!.signalCode]).toEqual([jobs.length, jobs.length, 'SIGKILL']);
      expect(told[0]).toBe('workers and threads: ash (1), elm (1), oak (1)');
      const { ThreadWorkers } = (await import(
        join(BUILT, 'workers/threads.js')
      )) as typeof import('../../src/workers/threads.ts');
      const local = new ThreadWorkers(2, REGISTRY);
      expect(await local.map({ kind: KINDS.mix, jobs, blobs: BLOBS })).toEqual(expected);
      await local.close();
    });

    it('take up a job whose worker was killed while it was at it', async () => {
      const lost = await worker('lost');
      const begun = said(lost, /begun/);
      const jobs = [{ milliseconds: 1500, job: ++salt }];
      const waiting = (await master()).map({ kind: KINDS.wait, jobs, blobs: {} });
      await begun;
      lost.kill('SIGKILL');
      const other = await worker('other');
      expect(await waiting).toEqual([other.pid]);
    });

    it('do nothing twice for a master that is started again', async () => {
      const only = await worker('only');
      const jobs = Array.from({ length: 8 }, () => ({ milliseconds: 50, job: ++salt }));
      const stopping = await master();
      const enough = new Error('killed');
      let seen = 0;
      const onResult = (): void => {
        if (++seen === 4) throw enough;
      };
      await expect(stopping.map({ kind: KINDS.wait, jobs, blobs: {}, onResult })).rejects.toBe(enough);
      const again = await master();
      const batch = { kind: KINDS.wait, jobs, blobs: {} };
      expect(await again.map(batch)).toEqual(jobs.map(() => only.pid));
      await ended(only, 'SIGTERM');
      // Nobody is left to do anything.
      expect(await again.map(batch)).toEqual(jobs.map(() => only.pid));
    });

    it('do equal jobs once', async () => {
      const child = await worker('once');
      const jobs = Array.from({ length: 6 }, () => ({ from: 1_000_000, rounds: 10 }));
      const results = await (await master()).map({ kind: KINDS.mix, jobs, blobs: BLOBS });
      expect(results).toEqual(await IN_PROCESS.map({ kind: KINDS.mix, jobs, blobs: BLOBS }));
      const last = said(child, /done \d+ jobs.*\n/);
      child.kill('SIGTERM');
      expect(await last).toContain('done 1 jobs of 1 batches');
    });

    it('end what they are at, or hand it back, when they are stopped', async () => {
      const [stopped, rest] = [await worker('stopped'), await worker('rest')];
      const jobs = [...Array(2)].map(() => ({ milliseconds: 2000, job: ++salt }));
      const begun = said(stopped, /begun/);
      const waiting = (await master()).map({ kind: KINDS.wait, jobs, blobs: {} });
      await begun;
      await ended(stopped, 'SIGTERM');
      expect(stopped.exitCode).toBe(0);
      expect(await waiting).toEqual([rest.pid, rest.pid]);
    });

    it('tell what a job threw, and who', async () => {
      await worker('oak');
      const workers = await master();
      const jobs = [0, 1, -2, 3].map((item) => ({ item }));
      const failing = workers.map({ kind: KINDS.refuse, jobs, blobs: {} });
      const [code, severity, message] = ['RV4002', 'error', 'item -2 is none'];
      const diagnostics = [{ code, severity, message, origin: 'items, worker oak', hint: 'begin at 0' }];
      await expect(failing).rejects.toMatchObject({ name: 'RivuletError', diagnostics });
      const stumbling = workers.map({ kind: KINDS.stumble, jobs: [{}], blobs: {} });
      await expect(stumbling).rejects.toThrow(/RV9005(.|\n)*work-kinds\.mjs(.|\n)*at worker oak/);
      expect(await workers.map({ kind: KINDS.refuse, jobs: [{ item: 9 }], blobs: {} })).toEqual([9]);
    });

    it('are not lost for ever to a job that kills them', async () => {
      let lost = 0;
      let over = false;
      const keepUp = async (): Promise<void> => {
        while (!over) {
          await ended(await worker(`brave ${lost}`));
          lost += 1;
        }
      };
      const kept = keepUp().catch(() => undefined);
      const failing = (await master()).map({ kind: KINDS.poison, jobs: [{}], blobs: {} });
      await expect(failing).rejects.toThrow(/RV7004.*"poison" was under way when 3 workers were lost/);
      over = true;
      await Promise.all(processes.map((child) => ended(child, 'SIGKILL')));
      await kept;
      expect(lost).toBeGreaterThanOrEqual(3);
    });

    it('of another program have no part in it', async () => {
      await worker('old', { program: '0.0.9-abc' });
      await expect(master()).rejects.toThrow(/RV7003.*this is 0\.1\.0-\w{12}; old is 0\.0\.9-abc/);
      const right = await worker('right');
      const workers = await master();
      const jobs = [...Array(6)].map(() => ({ milliseconds: 20, job: ++salt }));
      expect(await workers.map({ kind: KINDS.wait, jobs, blobs: {} })).toEqual(jobs.map(() => right.pid));
    });

    it('with another native engine have no part in what depends on it', async () => {
      const [none, mine] = [await worker('none'), await worker('mine', { native: 'here' })];
      await worker('theirs', { native: 'elsewhere' });
      const jobs = [...Array(6)].map(() => ({ milliseconds: 20, job: ++salt }));
      const batch = { kind: KINDS.wait, jobs, blobs: {}, native: true };
      expect(await (await master()).map(batch)).toEqual(jobs.map(() => mine.pid));
      await Promise.all([ended(mine, 'SIGTERM'), ended(none, 'SIGTERM')]);
      const alone = (await master()).map({ ...batch, jobs: [{ milliseconds: 1, job: ++salt }] });
      await expect(alone).rejects.toThrow(/RV7003.*theirs has another processor or compiler/);
    });

    it('are waited for, but not for ever', async () => {
      const told: string[] = [];
      const jobs = [{ from: ++salt, rounds: 1 }];
      const batch = { kind: KINDS.mix, jobs, blobs: BLOBS };
      const impatient = await master({ told, patience: 1000 });
      await expect(impatient.map(batch)).rejects.toThrow(/RV7003.*there has been no worker for 1 s/);
      expect(told).toEqual(['waiting for workers']);
      const waiting = (await master()).map(batch);
      await worker('late');
      expect(await waiting).toEqual(await IN_PROCESS.map(batch));
    });
  },
);

describe.skipIf(!HERE)(HERE ? 'Redis' : 'skipped: redis-server or the build is missing', () => {
  it('that is not there is an error at once', async () => {
    const url = `redis://:secret@127.0.0.1:${await freePort()}/0`;
    const refused = master({ url });
    await expect(refused).rejects.toThrow(
      /RV7001.*cannot be reached.*ECONNREFUSED(.|\n)*hint: is redis-server/,
    );
    await expect(refused).rejects.not.toThrow(/secret/);
    await expect(worker('alone', { url })).rejects.toThrow(/RV7001/);
  });

  it('that wants a password is an error without it', async () => {
    const closed = await startRedis({ password: 'open' });
    const at = (user: string): string => closed.url.replace('//', `//${user}`);
    try {
      await expect(master({ url: closed.url })).rejects.toThrow(/RV7002.*NOAUTH(.|\n)*REDISCLI_AUTH/);
      await expect(master({ url: at(':shut@') })).rejects.toThrow(/RV7002.*WRONGPASS/);
      expect((await master({ url: at(':open@') })).parallel).toBe(1);
      process.env.REDISCLI_AUTH = 'open';
      expect((await master({ url: closed.url })).parallel).toBe(1);
      await expect(master({ url: `${closed.url}/99` })).rejects.toThrow(/RV7002.*DB index/);
    } finally {
      delete process.env.REDISCLI_AUTH;
      await closed.stop();
    }
  });

  it('that no longer answers is an error', async () => {
    const child = await worker('patient');
    const [begun, gaveUp] = [said(child, /begun/), said(child, /RV7001.*no answer for 6 s/)];
    const jobs = [{ milliseconds: 60_000, job: ++salt }];
    const lost = (await master()).map({ kind: KINDS.wait, jobs, blobs: {} });
    const told = expect(lost).rejects.toThrow(/RV7001.*no answer for 6 s/);
    await begun;
    redis.process.kill('SIGSTOP');
    await Promise.all([told, gaveUp, ended(child)]);
    expect(child.exitCode).toBe(2);
  });

  it('that is unplugged ends master and worker, that comes back empty does not', async () => {
    let own = await startRedis();
    try {
      const child = await worker('tree', { url: own.url });
      const jobs = [...Array(5)].map(() => ({ milliseconds: 300, job: ++salt }));
      const workers = await master({ url: own.url });
      const waiting = workers.map({ kind: KINDS.wait, jobs, blobs: BLOBS });
      await new Promise((resolve) => setTimeout(resolve, 500));
      await own.stop();
      own = await startRedis({ port: Number(new URL(own.url).port) });
      expect(await waiting).toEqual(jobs.map(() => child.pid));

      const lost = workers.map({
        kind: KINDS.wait,
        jobs: [{ milliseconds: 60_000, job: ++salt }],
        blobs: {},
      });
      const told = expect(lost).rejects.toThrow(/RV7001/);
      const said7001 = said(child, /RV7001/);
      await own.stop();
      await Promise.all([told, said7001, ended(child)]);
      expect(child.exitCode).toBe(2);
    } finally {
      await own.stop();
    }
  });
});
