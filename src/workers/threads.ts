/** Work on all cores of this machine. */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { fail } from '../core/diagnostics.ts';
import { mapParallel } from './in-process.ts';
import { type Outcome, resultOf } from './outcome.ts';
import { KINDS } from './registry.ts';
import { Sharing } from './shared.ts';
import type { Task, ThreadData } from './thread.ts';
import type { Batch, Json, Workers } from './workers.ts';

export class ThreadWorkers implements Workers {
  readonly parallel: number;
  private readonly pool: Piscina<Task, Outcome>;
  private readonly sharing = new Sharing();

  /** @param registry the address of a module as `kinds.ts` */
  constructor(threads: number, registry: string = KINDS) {
    this.parallel = threads;
    this.pool = new Piscina<Task, Outcome>({
      // Compiled: threads cannot load TypeScript.
      filename: fileURLToPath(new URL('./thread.js', import.meta.url)),
      minThreads: threads,
      maxThreads: threads,
      workerData: { registry } satisfies ThreadData,
    });
    // A thread that ends between jobs is replaced by the next job.
    this.pool.on('error', () => undefined);
  }

  map<Arguments extends Json, Result extends Json>(batch: Batch<Arguments, Result>): Promise<Result[]> {
    const { kind, jobs, onResult } = batch;
    const blobs = this.sharing.share(batch.blobs);
    const run = async (argument: Arguments): Promise<Result> =>
      (await this.run({ kind: kind.name, argument, blobs })) as Result;
    return mapParallel(jobs, this.parallel, run, onResult);
  }

  /** One job. Throws what the job threw, RV7004 where its thread ended instead. */
  async run(task: Task): Promise<Json> {
    const outcome = await this.pool.run(task).catch((error: Error) =>
      fail('RV7004', `a job of the kind "${task.kind}" has ended its thread: ${error.message}`, {
        hint: 'fewer threads leave more memory to each',
      }),
    );
    return resultOf(outcome);
  }

  /** Ends what is running. */
  close(): Promise<void> {
    return this.pool.destroy();
  }
}
