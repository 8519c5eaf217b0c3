/**
 * Work on other machines, by way of Redis and BullMQ. A job has the hash of all it depends on as its name, and its result
 * is kept under that name. So everything may be done again: posting what is posted already changes nothing, a job that two
 * workers do has one result, and a master that is started again finds what was done before.
 */
import { setTimeout } from 'node:timers/promises';
import { Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import { errorDiagnostic, fail, RivuletError } from '../../core/diagnostics.ts';
import type { Outcome } from '../outcome.ts';
import { programOf } from '../program.ts';
import { mapRecord, sha256 } from '../shared.ts';
import type { Batch, Blobs, Json, Workers } from '../workers.ts';
import type { RedisAddress } from './address.ts';
import { besides, connect, refuse, within } from './connection.ts';
import { Farm, workersPresent } from './farm.ts';
import { News } from './news.ts';
import {
  blobKey,
  type JobData,
  jobId,
  KEPT,
  LARGEST_BLOB,
  MOST_LOST,
  PREFIX,
  queueName,
  resultKey,
  TIMING,
  type Timing,
} from './protocol.ts';

export interface MasterOptions {
  readonly address: RedisAddress;
  readonly registry: string;
  /** What the native engine of this machine computes like. Throws where there is none. */
  readonly native: () => Promise<string>;
  readonly tell: (text: string) => void;
  readonly timing?: Partial<Timing>;
}

/** A job and where its result belongs: equal jobs are done once. */
interface Posted {
  readonly data: JobData;
  readonly places: number[];
}

interface Channel {
  readonly queue: Queue;
  readonly events: QueueEvents;
}

/** Keys in one command. */
const AT_ONCE = 500;
/** Of BullMQ's stream of events. */
const EVENTS_KEPT = 10_000;

export class RedisWorkers implements Workers {
  private readonly options: MasterOptions;
  private readonly timing: Timing;
  private readonly redis: Redis;
  /** For blobs. */
  private readonly bulk: Redis;
  private readonly program: string;
  private readonly farm: Farm;
  private readonly channels = new Map<string, Channel>();

  /** @throws RivuletError RV7001 to RV7003 */
  static async open(options: MasterOptions): Promise<RedisWorkers> {
    const timing = { ...TIMING, ...options.timing };
    const workers = new RedisWorkers(options, timing, await connect(options.address, timing.outage));
    try {
      workers.farm.look(await workersPresent(workers.redis));
      return workers;
    } catch (error) {
      await workers.close();
      return refuse(error, options.address);
    }
  }

  private constructor(options: MasterOptions, timing: Timing, redis: Redis) {
    [this.options, this.timing, this.redis, this.bulk] = [options, timing, redis, besides(redis)];
    this.program = programOf(options.registry);
    this.farm = new Farm(this.program, timing, options.tell);
  }

  get parallel(): number {
    return Math.max(1, this.farm.threads);
  }

  /** @throws RivuletError what a job threw, with the name of its worker; RV7001 to RV7005 */
  async map<Arguments extends Json, Result extends Json>(batch: Batch<Arguments, Result>): Promise<Result[]> {
    const native = batch.native ? await this.options.native() : undefined;
    const over = new AbortController();
    try {
      return await Promise.race([this.post(batch, native), this.watch(over.signal)]);
    } catch (error) {
      return refuse(error, this.options.address);
    } finally {
      over.abort();
    }
  }

  async close(): Promise<void> {
    for (const { queue, events } of this.channels.values())
      await Promise.allSettled([queue.close(), events.close()]);
    this.bulk.disconnect();
    this.redis.disconnect();
  }

  private async post<Arguments extends Json, Result extends Json>(
    batch: Batch<Arguments, Result>,
    native: string | undefined,
  ): Promise<Result[]> {
    const name = queueName(this.program, native);
    const { queue, events } = this.channel(name);
    const hashes = mapRecord(batch.blobs, sha256);
    const left = postedJobs(name, batch, hashes);
    const results = new Array<Result>(batch.jobs.length);
    const settle = async (ids: readonly string[]): Promise<void> => {
      const texts = await this.results(ids);
      for (const [i, id] of ids.entries()) {
        const [text, posted] = [texts[i], left.get(id)];
        if (typeof text !== 'string' || posted === undefined) continue;
        left.delete(id);
        for (const place of posted.places) {
          results[place] = JSON.parse(text) as Result;
          batch.onResult?.(results[place], place);
        }
      }
    };
    const news = new News(events, (job) => left.has(job));
    this.farm.expect();
    try {
      while (left.size > 0) {
        await this.provide(batch.blobs, hashes);
        await settle([...left.keys()]);
        await this.add(queue, left);
        await this.renew(queue);
        this.farm.look(await workersPresent(this.redis), native);
        const end = Date.now() + this.timing.sweep;
        while (left.size > 0 && Date.now() < end) {
          const { done, failure } = await news.next(end - Date.now());
          await settle(done);
          if (failure !== undefined) throw errorOf(failure.reason, left.get(failure.job)!.data);
        }
      }
      return results;
    } finally {
      news.close();
      // After an error: those that no worker has begun.
      if (this.redis.status === 'ready')
        await Promise.allSettled([...left.keys()].map((id) => queue.remove(id)));
    }
  }

  /** Never resolves; throws when Redis no longer answers: a network may swallow what it is given. */
  private async watch(signal: AbortSignal): Promise<never> {
    for (;;) {
      await within(this.timing.outage, this.redis.ping());
      await setTimeout(this.timing.sweep, undefined, { signal });
    }
  }

  private channel(name: string): Channel {
    const known = this.channels.get(name);
    if (known !== undefined) return known;
    const common = { connection: this.redis, prefix: PREFIX };
    const queue = new Queue(name, { ...common, streams: { events: { maxLen: EVENTS_KEPT } } });
    const events = new QueueEvents(name, common);
    // Commands that fail say so themselves; events that are missed are made up for.
    queue.on('error', () => undefined);
    events.on('error', () => undefined);
    this.channels.set(name, { queue, events });
    return { queue, events };
  }

  private async provide(blobs: Blobs, hashes: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, bytes] of Object.entries(blobs)) {
      if (bytes.length > LARGEST_BLOB) {
        fail('RV7005', `"${name}" has ${bytes.length} bytes, Redis keeps at most ${LARGEST_BLOB}`);
      }
      const key = blobKey(hashes[name]!);
      if ((await this.bulk.expire(key, KEPT.blob)) === 1) continue;
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      await this.bulk.set(key, buffer, 'EX', KEPT.blob);
    }
  }

  /** Posts jobs that are not posted, or no longer. */
  private async add(queue: Queue, left: ReadonlyMap<string, Posted>): Promise<void> {
    for (const jobs of chunks([...left])) {
      const counting = this.redis.pipeline();
      for (const [id] of jobs) counting.exists(queue.toKey(id));
      const counts = await counting.exec();
      const missing = jobs.filter((_, i) => counts?.[i]?.[1] === 0);
      const options = { removeOnComplete: true, removeOnFail: true };
      await queue.addBulk(
        missing.map(([jobId, { data }]) => ({ name: data.kind, data, opts: { jobId, ...options } })),
      );
    }
  }

  /** What BullMQ keeps for the whole queue, which is of no use to another version. */
  private async renew(queue: Queue): Promise<void> {
    const renewing = this.redis.pipeline();
    for (const key of ['events', 'id', 'meta']) renewing.expire(queue.toKey(key), KEPT.queue);
    await renewing.exec();
  }

  private async results(ids: readonly string[]): Promise<(string | null)[]> {
    const texts: (string | null)[] = [];
    for (const some of chunks(ids)) texts.push(...(await this.redis.mget(some.map(resultKey))));
    return texts;
  }
}

function postedJobs<Arguments extends Json>(
  queue: string,
  { kind, jobs }: Pick<Batch<Arguments, Json>, 'kind' | 'jobs'>,
  blobs: Readonly<Record<string, string>>,
): Map<string, Posted> {
  const posted = new Map<string, Posted>();
  for (const [place, argument] of jobs.entries()) {
    const data: JobData = { kind: kind.name, argument, blobs };
    const id = jobId(queue, data);
    const known = posted.get(id);
    if (known === undefined) posted.set(id, { data, places: [place] });
    else known.places.push(place);
  }
  return posted;
}

function chunks<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / AT_ONCE) }, (_, i) =>
    items.slice(i * AT_ONCE, (i + 1) * AT_ONCE),
  );
}

/** The error behind BullMQ's reason: what a worker wrote, or BullMQ itself about a job that no worker survived. */
function errorOf(reason: string, { kind }: JobData): RivuletError {
  if (reason.startsWith('{')) {
    const outcome = JSON.parse(reason) as Outcome;
    if ('diagnostics' in outcome) return new RivuletError(outcome.diagnostics);
  }
  if (!reason.includes('stalled')) return new RivuletError([errorDiagnostic('RV9005', reason)]);
  const message = `a job of the kind "${kind}" was under way when ${MOST_LOST} workers were lost`;
  const hint = 'they may have too little memory: fewer --threads leave more to each';
  return new RivuletError([errorDiagnostic('RV7004', message, { hint })]);
}
