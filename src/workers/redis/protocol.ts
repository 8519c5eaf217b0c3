/**
 * What master and workers agree on: names of keys, what lies there, and for how long. What a killed process leaves behind
 * expires.
 */
import { sha256 } from '../shared.ts';
import type { Json } from '../workers.ts';

/** Before every key. */
export const PREFIX = 'rivulet';
/** A set of the workers' ids. */
export const WORKERS = `${PREFIX}:workers`;
export const workerKey = (id: string): string => `${PREFIX}:worker:${id}`;
export const blobKey = (hash: string): string => `${PREFIX}:blob:${hash}`;
/** JSON of a job's result. */
export const resultKey = (job: string): string => `${PREFIX}:result:${job}`;

/** Seconds. A master renews blobs and queue while it waits; results are for masters that are started again. */
export const KEPT = { blob: 3600, result: 24 * 3600, queue: 7 * 24 * 3600 } as const;

/** What a string of Redis can hold. */
export const LARGEST_BLOB = 512 * 2 ** 20;

/** A job that was under way when so many workers were lost is to blame for that. */
export const MOST_LOST = 3;

/** Milliseconds. */
export interface Timing {
  /** A worker that has not said for so long that it is at a job has lost it; it says so twice in this time. */
  readonly lock: number;
  /** Between two times that a worker says it is there; after three it is not. */
  readonly beat: number;
  /** Between two times that a master looks whether blobs, jobs and workers are still there. */
  readonly sweep: number;
  /** A connection that was lost may be away for so long. */
  readonly outage: number;
  /** A master waits so long without any worker. */
  readonly patience: number;
  /** Jobs may go on for so long when a worker is stopped; then they are handed back. */
  readonly grace: number;
}

export const TIMING: Timing = {
  ...{ lock: 10_000, beat: 5_000, sweep: 5_000 },
  ...{ outage: 30_000, patience: 120_000, grace: 10_000 },
};

export interface JobData {
  readonly kind: string;
  readonly argument: Json;
  /** By name: SHA-256. */
  readonly blobs: Readonly<Record<string, string>>;
}

/** What a worker says of itself. */
export interface WorkerInfo {
  readonly name: string;
  readonly threads: number;
  readonly program: string;
  /** What its native engine computes like; absent: it has none. */
  readonly native?: string;
}

/** Jobs go only to workers of the same program; those whose results depend on the native engine, only to the same engine. */
export function queueName(program: string, native?: string): string {
  return native === undefined ? program : `${program}-native-${native}`;
}

/** Equal jobs of equal programs are one job, whoever wants it. */
export function jobId(queue: string, { kind, argument, blobs }: JobData): string {
  return sha256(JSON.stringify([queue, kind, argument, Object.entries(blobs).sort()]));
}
