/** What a worker thread runs: one job of whatever kind. */
import { workerData } from 'node:worker_threads';
import { attempt, type Outcome } from './outcome.ts';
import { findKind } from './registry.ts';
import { Receiving, type SharedBlobs } from './shared.ts';
import type { Json } from './workers.ts';

export interface Task {
  readonly kind: string;
  readonly argument: Json;
  readonly blobs: SharedBlobs;
}

export interface ThreadData {
  readonly registry: string;
}

const received = new Receiving();

export default function runTask({ kind, argument, blobs }: Task): Promise<Outcome> {
  const { registry } = workerData as ThreadData;
  return attempt(async () => {
    const { run } = await findKind(registry, kind);
    return run(argument as never, received.blobs(blobs));
  });
}
