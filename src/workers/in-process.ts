/** Work in this process: one job after the other. */
import type { Batch, Json, Workers } from './workers.ts';

export const IN_PROCESS: Workers = {
  parallel: 1,
  map: ({ kind, jobs, blobs, onResult }) => mapParallel(jobs, 1, (job) => kind.run(job, blobs), onResult),
  close: async () => undefined,
};

/** So many at a time, in their order; none begins after the first error, and none is reported. */
export async function mapParallel<Arguments extends Json, Result extends Json>(
  jobs: readonly Arguments[],
  parallel: number,
  run: (argument: Arguments) => Result | Promise<Result>,
  onResult: Batch<Arguments, Result>['onResult'],
): Promise<Result[]> {
  const results = new Array<Result>(jobs.length);
  const left = jobs.entries();
  let failed = false;
  const work = async (): Promise<void> => {
    for (const [index, job] of left) {
      const result = await run(job);
      if (failed) return;
      results[index] = result;
      onResult?.(result, index);
    }
  };
  const one = (): Promise<void> =>
    work().catch((error) => {
      failed = true;
      throw error;
    });
  await Promise.all(Array.from({ length: Math.min(parallel, jobs.length) }, one));
  return results;
}
