/** Which workers there are, as they say themselves in Redis. */
import type { Redis } from 'ioredis';
import { fail } from '../../core/diagnostics.ts';
import { type Timing, WORKERS, type WorkerInfo, workerKey } from './protocol.ts';

/** Says that a worker is there, for three beats. */
export async function arrive(redis: Redis, id: string, info: WorkerInfo, { beat }: Timing): Promise<void> {
  await redis
    .multi()
    .set(workerKey(id), JSON.stringify(info), 'PX', 3 * beat)
    .sadd(WORKERS, id)
    .exec();
}

export async function leave(redis: Redis, id: string): Promise<void> {
  await redis.multi().del(workerKey(id)).srem(WORKERS, id).exec();
}

export async function workersPresent(redis: Redis): Promise<WorkerInfo[]> {
  const ids = await redis.smembers(WORKERS);
  if (ids.length === 0) return [];
  const texts = await redis.mget(ids.map(workerKey));
  const gone = ids.filter((_, i) => texts[i] === null);
  if (gone.length > 0) await redis.srem(WORKERS, gone);
  return texts.flatMap((text) => (text === null ? [] : [JSON.parse(text) as WorkerInfo]));
}

/** A master's view of the workers that may do its jobs. */
export class Farm {
  private readonly program: string;
  private readonly patience: number;
  private readonly tell: (text: string) => void;
  private told = '';
  private seen = false;
  private lastSeen = Date.now();
  /** Of all workers together. */
  threads = 0;

  constructor(program: string, { patience }: Timing, tell: (text: string) => void) {
    this.program = program;
    this.patience = patience;
    this.tell = tell;
  }

  /** A batch begins. */
  expect(): void {
    [this.seen, this.lastSeen] = [false, Date.now()];
  }

  /** @throws RivuletError RV7003 where only others are, or none for too long */
  look(present: readonly WorkerInfo[], native?: string): void {
    const others = present.flatMap((worker) => {
      const reason = this.otherness(worker, native);
      return reason === undefined ? [] : [`${worker.name} ${reason}`];
    });
    const ours = present.filter((worker) => this.otherness(worker, native) === undefined);
    this.threads = ours.reduce((sum, { threads }) => sum + threads, 0);
    if (ours.length > 0) {
      [this.seen, this.lastSeen] = [true, Date.now()];
    } else if (others.length > 0 && !this.seen) {
      const hint = 'run the same Rivulet on all machines, with --host wasm where processors differ';
      fail('RV7003', `this is ${this.program}; ${others.sort().join('; ')}`, { hint });
    } else if (Date.now() - this.lastSeen > this.patience) {
      const hint =
        'start "rivulet worker --redis URL", then the same command again: what was done is not done twice';
      fail('RV7003', `there has been no worker for ${Math.round(this.patience / 1000)} s`, { hint });
    }
    const names = ours.map(({ name, threads }) => `${name} (${threads})`).sort();
    const text = names.length === 0 ? 'waiting for workers' : `workers and threads: ${names.join(', ')}`;
    if (text !== this.told) this.tell(text);
    this.told = text;
  }

  /** Why a worker cannot take part. */
  private otherness(worker: WorkerInfo, native?: string): string | undefined {
    if (worker.program !== this.program) return `is ${worker.program}`;
    if (native === undefined || worker.native === native) return undefined;
    return worker.native === undefined ? 'has no native engine' : 'has another processor or compiler';
  }
}
