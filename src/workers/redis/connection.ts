/** The connection to Redis, and what can be wrong with it. */
import { Redis } from 'ioredis';
import { fail, RivuletError } from '../../core/diagnostics.ts';
import type { RedisAddress } from './address.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const RETRY_MS = 500;
/** What ioredis and BullMQ say of commands that a lost connection has ended. */
const CLOSED = 'Connection is closed.';

/**
 * Connects, at once or not at all; later the connection may be lost for a while.
 * @param outage milliseconds
 * @throws RivuletError RV7001, RV7002
 */
export async function connect(address: RedisAddress, outage: number): Promise<Redis> {
  const { host, port, db, username, password, tls } = address;
  const options = {
    ...{ host, port, db, lazyConnect: true, connectTimeout: CONNECT_TIMEOUT_MS },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: { servername: host } }),
    // Commands wait for the connection to come back; when it does not, retryStrategy ends them.
    maxRetriesPerRequest: null,
  };
  await probe(new Redis({ ...options, retryStrategy: () => null }), address);
  const retryStrategy = (times: number): number | null => (times * RETRY_MS < outage ? RETRY_MS : null);
  const redis = new Redis({ ...options, retryStrategy });
  // What goes wrong is told by the commands that fail.
  redis.on('error', () => undefined);
  await redis.connect();
  return redis;
}

/** Another connection to the same Redis, made when it is used: for what takes so long that other commands must not wait. */
export function besides(redis: Redis): Redis {
  const other = redis.duplicate();
  other.on('error', () => undefined);
  return other;
}

async function probe(redis: Redis, address: RedisAddress): Promise<void> {
  let reason: Error | undefined;
  redis.on('error', (error) => {
    reason ??= error;
  });
  try {
    await redis.connect();
    await redis.ping();
    // Without the database that is wanted, ioredis goes on with another.
    if (reason !== undefined) throw reason;
  } catch (error) {
    refuse(reason ?? error, address);
  } finally {
    redis.disconnect();
  }
}

/** The connection is gone, or might as well be. */
export class ConnectionLost extends Error {}

/**
 * Says what a failed command means.
 * @throws RV7001 without connection, RV7002 where Redis says no, RV7005 where it has no room; other errors as they are
 */
export function refuse(error: unknown, { shown, tls }: RedisAddress): never {
  if (error instanceof RivuletError || !(error instanceof Error)) throw error;
  const { name, message } = error;
  const origin = shown;
  if (/^OOM /.test(message)) {
    fail('RV7005', 'Redis has no room left', { origin, hint: `raise its "maxmemory": ${message}` });
  }
  if (name === 'ReplyError') {
    const hint = /^(WRONGPASS|NOAUTH)/.test(message)
      ? 'give the password in the address, or in the variable REDISCLI_AUTH'
      : 'Redis 6.2 or later is needed, alone and not as a cluster';
    fail('RV7002', `Redis refuses: ${message}`, { origin, hint });
  }
  const { code } = error as NodeJS.ErrnoException;
  const lost = error instanceof ConnectionLost || message === CLOSED;
  if (!lost && !('syscall' in error) && code !== 'ETIMEDOUT') throw error;
  const hint = tls
    ? 'is it running there, with TLS?'
    : 'is redis-server running there, and may it be reached?';
  return fail('RV7001', `Redis cannot be reached: ${message || code}`, { origin, hint });
}

/** The promise, or an error if it takes longer than so many milliseconds. */
export async function within<Value>(limit: number, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConnectionLost(`no answer for ${limit / 1000} s`)), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
