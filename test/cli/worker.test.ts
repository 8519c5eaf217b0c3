/** `rivulet worker` and `--workers`, as processes; what is refused before any Redis is asked. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cli, cliJson, type ErrorDocument, temporaryFolder } from '../support/cli.ts';
import { IS_BUILT, start } from '../support/process.ts';
import { ended, REDIS_IS_HERE, said, startRedis } from '../support/redis.ts';

const HERE = REDIS_IS_HERE && IS_BUILT;
const folder = temporaryFolder();
afterAll(folder.remove);

const SEARCH = ['search', 'space', '--target', 'stm32f746', '--space', 'fashion', '--samples', '1'];

it.each([
  'http://oak:6379',
  'oak:6379',
  'redis://',
  'redis://oak/zero',
  'redis://oak?x=1',
  'redis://oak:port',
])('refuses the address %s', async (url) => {
  for (const argv of [
    ['worker', '--redis', url],
    [...SEARCH, '--workers', url],
  ]) {
    const { code, document } = await cliJson<ErrorDocument>(...argv);
    const [diagnostic] = document.error.diagnostics;
    expect([code, diagnostic!.code, diagnostic!.origin]).toEqual([2, 'RV3001', argv.at(-2)]);
  }
});

describe.skipIf(!HERE)(HERE ? 'a worker' : 'skipped: redis-server or the build is missing', () => {
  it('draws for a search what the search would have drawn, and ends when it is told to', async () => {
    const redis = await startRedis();
    const worker = start('worker', '--redis', redis.url, '--threads', '1', '--name', 'oak');
    try {
      await said(worker.child, /worker oak, 0\.1\.0-\w{12}, 1 threads: waits for jobs at redis:/);
      const search = start(...SEARCH, '--workers', redis.url, '-o', folder.path('far'));
      await ended(search.child);
      expect([search.child.exitCode, search.text()]).toEqual([0, expect.stringContaining('oak (1)')]);
      worker.child.kill('SIGTERM');
      await ended(worker.child);
      expect(worker.child.exitCode).toBe(0);
      expect(worker.text()).toContain('samples: begun, 0 bytes in common\n');
      expect(worker.text()).toMatch(/18 jobs of 1 batches\n$/);
    } finally {
      await Promise.all([ended(worker.child, 'SIGKILL'), redis.stop()]);
    }
    expect((await cli(...SEARCH, '--threads', '1', '-o', folder.path('near'))).code).toBe(0);
    const [far, near] = ['far', 'near'].map((name) => join(folder.path(name), 'samples')) as [string, string];
    expect(readdirSync(far)).toHaveLength(18);
    for (const file of readdirSync(far)) {
      expect(readFileSync(join(far, file), 'utf8')).toBe(readFileSync(join(near, file), 'utf8'));
    }
  });
});
