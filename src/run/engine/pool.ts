/** Many jobs on as many threads as the computer has: candidates of a search, seeds of an experiment. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { Candidate, CandidateResult } from './candidate.ts';

export interface JobOptions<Result> {
  /** Default: as many as the computer runs at the same time. */
  readonly threads?: number;
  /** Called with every result as it arrives. */
  onResult?(result: Result, index: number): void;
  /** Stops what has not ended. */
  readonly signal?: AbortSignal;
}

/**
 * Runs the default export of a JavaScript module once for each job, in worker threads. Jobs and results are copied.
 * @returns the results in the order of the jobs; the first error of a job ends all
 */
export async function runJobs<Job, Result>(
  worker: URL,
  jobs: readonly Job[],
  { threads = availableParallelism(), onResult, signal }: JobOptions<Result> = {},
): Promise<Result[]> {
  const pool = new Piscina<Job, Result>({
    filename: fileURLToPath(worker),
    minThreads: 1,
    maxThreads: Math.max(1, Math.min(threads, jobs.length)),
  });
  try {
    return await Promise.all(
      jobs.map(async (job, index) => {
        const result = await pool.run(job, signal && { signal });
        onResult?.(result, index);
        return result;
      }),
    );
  } finally {
    await pool.destroy();
  }
}

/** Runs candidates in parallel; see `runCandidate`. */
export function runCandidates(
  candidates: readonly Candidate[],
  options: JobOptions<CandidateResult> = {},
): Promise<CandidateResult[]> {
  return runJobs(new URL('./candidate.js', import.meta.url), candidates, options);
}
