/** Workers where the user wants them. */
import { IN_PROCESS } from './in-process.ts';
import { parseRedisAddress } from './redis/address.ts';
import { KINDS } from './registry.ts';
import { ThreadWorkers } from './threads.ts';
import type { Workers } from './workers.ts';

export interface WorkersOptions {
  /** Threads of this machine; 1: this one. Not heeded with `redis`. */
  readonly threads: number;
  /** Address of a Redis whose workers do the jobs, wherever they are. */
  readonly redis?: string;
  /** The option that it comes from, for diagnostics. */
  readonly origin?: string;
  /** What the native engine of this machine computes like; throws RV3004 where there is none. */
  readonly native: () => Promise<string>;
  readonly tell: (text: string) => void;
  /** Address of a module as `kinds.ts`; default Rivulet's own. */
  readonly registry?: string;
}

/** @throws RivuletError RV3001 for an address that is none; RV7001 to RV7003 */
export async function openWorkers(options: WorkersOptions): Promise<Workers> {
  const { threads, redis, origin = '--workers', native, tell, registry = KINDS } = options;
  if (redis === undefined) return threads === 1 ? IN_PROCESS : new ThreadWorkers(threads, registry);
  const address = parseRedisAddress(redis, origin);
  // BullMQ takes a while to load.
  const { RedisWorkers } = await import('./redis/master.ts');
  return RedisWorkers.open({ address, registry, native, tell });
}
