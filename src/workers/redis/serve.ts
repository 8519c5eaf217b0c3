/** A worker on this machine for masters anywhere: `rivulet worker`. */
import { randomUUID } from 'node:crypto';
import { type Job, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { fail } from '../../core/diagnostics.ts';
import { diagnosticsOf } from '../outcome.ts';
import { programOf } from '../program.ts';
import { Recent } from '../recent.ts';
import { inSharedMemory, type SharedBlob, type SharedBlobs } from '../shared.ts';
import { ThreadWorkers } from '../threads.ts';
import type { Json } from '../workers.ts';
import type { RedisAddress } from './address.ts';
import { besides, ConnectionLost, connect, refuse, within } from './connection.ts';
import { arrive, leave } from './farm.ts';
import {
  blobKey,
  type JobData,
  KEPT,
  MOST_LOST,
  PREFIX,
  queueName,
  resultKey,
  TIMING,
  type Timing,
  type WorkerInfo,
} from './protocol.ts';

export interface ServeOptions {
  readonly address: RedisAddress;
  readonly registry: string;
  readonly threads: number;
  readonly name: string;
  /** What the native engine of this machine computes like, if it has one. */
  readonly native?: string;
  readonly tell: (text: string) => void;
  readonly timing?: Partial<Timing>;
  /** Default: that of this program. For tests. */
  readonly program?: string;
}

export interface Served {
  readonly jobs: number;
  readonly batches: number;
}

/** Blobs that are kept for the batches to come. */
const BLOBS_KEPT = 8;
const RETRY_MS = 1000;

export class Server {
  /** Resolves when it was stopped. Rejects with RV7001 when Redis has been away for too long. */
  readonly ended: Promise<Served>;
  private readonly options: ServeOptions;
  private readonly timing: Timing;
  private readonly redis: Redis;
  /** For blobs. */
  private readonly bulk: Redis;
  private readonly threads: ThreadWorkers;
  private readonly workers: readonly Worker[];
  private readonly id = randomUUID();
  private readonly info: WorkerInfo;
  private readonly blobs = new Recent<Promise<SharedBlob>>(BLOBS_KEPT);
  private readonly beating: NodeJS.Timeout;
  private readonly handingBack = new AbortController();
  private closing: Promise<void> | undefined;
  private end: (served: Served) => void = () => undefined;
  private abandon: (error: unknown) => void = () => undefined;
  private batch = '';
  private count = { jobs: 0, batches: 0, jobsOfBatch: 0 };

  /** @throws RivuletError RV7001, RV7002 */
  static async start(options: ServeOptions): Promise<Server> {
    const timing = { ...TIMING, ...options.timing };
    const server = new Server(options, timing, await connect(options.address, timing.outage));
    try {
      await server.beat();
      return server;
    } catch (error) {
      await server.close();
      return refuse(error, options.address);
    }
  }

  private constructor(options: ServeOptions, timing: Timing, redis: Redis) {
    const { registry, name, threads, native, program = programOf(registry) } = options;
    [this.options, this.timing, this.redis, this.bulk] = [options, timing, redis, besides(redis)];
    this.threads = new ThreadWorkers(threads, registry);
    this.info = { name, threads, program, ...(native !== undefined && { native }) };
    this.ended = new Promise<Served>((resolve, reject) => {
      [this.end, this.abandon] = [resolve, reject];
    });
    const queues = [queueName(program), ...(native === undefined ? [] : [queueName(program, native)])];
    this.workers = queues.map((queue) => this.listen(queue));
    this.beating = setInterval(() => this.beat().catch((error) => this.giveUp(error)), timing.beat);
    redis.once('end', () => this.giveUp(new ConnectionLost('the connection is lost')));
  }

  get program(): string {
    return this.info.program;
  }

  /** Takes no more jobs, ends those under way or hands them back. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.handingBack.abort(), this.timing.grace);
    await Promise.all(this.workers.map((worker) => worker.close()));
    clearTimeout(timer);
    this.tellCount();
    await leave(this.redis, this.id);
    const { jobs, batches } = this.count;
    this.end({ jobs, batches });
    await this.close();
  }

  private listen(queue: string): Worker {
    const { lock } = this.timing;
    const worker = new Worker<JobData>(queue, (job, token) => this.work(job, token), {
      ...{ connection: this.redis, prefix: PREFIX, name: this.options.name },
      // Threads do the work, so that this one is free to renew locks.
      ...{ concurrency: this.options.threads, lockDuration: lock, stalledInterval: lock / 2 },
      ...{ maxStalledCount: MOST_LOST - 1, runRetryDelay: RETRY_MS },
    });
    // A lock that could not be renewed costs no more than doing a job twice; a lost connection ends in giveUp.
    worker.on('error', () => undefined);
    worker.on('drained', () => this.tellCount());
    return worker;
  }

  private async work(job: Job<JobData>, token: string | undefined): Promise<void> {
    const { kind, argument, blobs } = job.data;
    const key = resultKey(job.id!);
    // Another worker may have been thought lost.
    if ((await this.redis.exists(key)) === 1) return;
    try {
      const shared = await this.fetchBlobs(blobs);
      this.tellBatch(kind, shared);
      const result = await this.unlessHandedBack(this.threads.run({ kind, argument, blobs: shared }));
      if (result === undefined) {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      await this.redis.set(key, JSON.stringify(result), 'EX', KEPT.result);
      this.count = { ...this.count, jobs: this.count.jobs + 1, jobsOfBatch: this.count.jobsOfBatch + 1 };
    } catch (error) {
      if (error instanceof WaitingError) throw error;
      const where = `worker ${this.options.name}`;
      const diagnostics = diagnosticsOf(error).map((diagnostic) => ({
        ...diagnostic,
        origin: diagnostic.origin === undefined ? where : `${diagnostic.origin}, ${where}`,
      }));
      throw new Error(JSON.stringify({ diagnostics }));
    }
  }

  private unlessHandedBack(result: Promise<Json>): Promise<Json | undefined> {
    const { signal } = this.handingBack;
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
      result.then(resolve, reject);
    });
  }

  private async fetchBlobs(hashes: JobData['blobs']): Promise<SharedBlobs> {
    const fetched = Object.entries(hashes).map(async ([name, hash]) => {
      const blob = this.blobs.get(hash, () => this.fetchBlob(name, hash));
      return [name, await blob] as const;
    });
    return Object.fromEntries(await Promise.all(fetched));
  }

  private async fetchBlob(name: string, hash: string): Promise<SharedBlob> {
    const bytes = await this.bulk.getBuffer(blobKey(hash));
    if (bytes !== null) return { hash, bytes: inSharedMemory(bytes) };
    this.blobs.forget(hash);
    return fail('RV7005', `"${name}" is no longer there: nobody waits for the result`);
  }

  private tellBatch(kind: string, blobs: SharedBlobs): void {
    const all = Object.values(blobs);
    const batch = [kind, ...all.map(({ hash }) => hash)].join();
    if (batch === this.batch) return;
    this.tellCount();
    this.batch = batch;
    this.count = { ...this.count, batches: this.count.batches + 1 };
    const bytes = all.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.options.tell(`${kind}: begun, ${bytes.toLocaleString('en-US')} bytes in common`);
  }

  private tellCount(): void {
    const { jobsOfBatch } = this.count;
    if (jobsOfBatch === 0) return;
    this.options.tell(`${this.batch.split(',', 1)[0]}: ${jobsOfBatch.toLocaleString('en-US')} jobs done`);
    this.count = { ...this.count, jobsOfBatch: 0 };
  }

  private beat(): Promise<void> {
    return within(this.timing.outage, arrive(this.redis, this.id, this.info, this.timing));
  }

  private giveUp(error: unknown): void {
    try {
      refuse(error, this.options.address);
    } catch (refusal) {
      this.abandon(refusal);
    }
    void this.close();
  }

  private close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    clearInterval(this.beating);
    await Promise.allSettled(this.workers.map((worker) => worker.close(true)));
    this.bulk.disconnect();
    this.redis.disconnect();
    await this.threads.close();
  }
}
