/** Where jobs are done: `--threads` and `--workers` of every verb that has many of them. */
import { availableParallelism } from 'node:os';
import { Option } from 'commander';
import { nativeFingerprint } from '../run/engine/native-host.ts';
import { openWorkers } from '../workers/open.ts';
import type { Workers } from '../workers/workers.ts';
import { parseCount } from './numbers.ts';

export interface WorkersChoice {
  readonly threads: number;
  readonly workers?: string;
}

export function threadsOption(): Option {
  return new Option('--threads <number>', 'threads; default as many as the computer has')
    .argParser(parseCount)
    .default(availableParallelism());
}

export function workersOption(): Option {
  return new Option('--workers <url>', 'redis://host:port: "rivulet worker" elsewhere does the jobs instead');
}

/** @throws RivuletError RV3001, RV7001 to RV7005, and what `use` throws */
export async function withWorkers<Result>(
  { threads, workers: redis }: WorkersChoice,
  tell: (text: string) => void,
  use: (workers: Workers) => Promise<Result>,
): Promise<Result> {
  const native = nativeFingerprint;
  const workers = await openWorkers({ threads, native, tell, ...(redis !== undefined && { redis }) });
  try {
    return await use(workers);
  } finally {
    await workers.close();
  }
}
