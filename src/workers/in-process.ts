import type { Batch, Json, Workers } from './workers.ts';

/** One job after the other, in this process. */
export const IN_PROCESS: Workers = {
  parallel: 1,
  async map<Arguments extends Json, Result extends Json>({
    kind,
    jobs,
    blobs,
    onResult,
  }: Batch<Arguments, Result>) {
    const results: Result[] = [];
    for (const [i, job] of jobs.entries()) {
      const result = await kind.run(job, blobs);
      onResult?.(result, i);
      results.push(result);
      // Whoever waits for the process, such as a signal, gets a turn.
      await new Promise((resolve) => setTimeout(resolve));
    }
    return results;
  },
  close: () => Promise.resolve(),
};
