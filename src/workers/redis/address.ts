/** redis://[user[:password]@]host[:port][/db], rediss:// with TLS. */
import { fail } from '../../core/diagnostics.ts';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls: boolean;
  /** Without the password. */
  readonly shown: string;
}

const DEFAULT_PORT = 6379;

/**
 * A password that the address lacks is taken from the environment, where other users of the machine do not see it: from
 * REDISCLI_AUTH, as redis-cli does.
 * @param origin the option, for diagnostics
 * @throws RivuletError RV3001
 */
export function parseRedisAddress(text: string, origin: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const db = /^\/?(\d*)$/.exec(url?.pathname ?? '')?.[1];
  const valid = url !== undefined && /^rediss?:$/.test(url.protocol) && url.hostname !== '';
  if (!valid || db === undefined || url.search !== '' || url.hash !== '') {
    const hint = 'redis://host, redis://host:6379/0, rediss://user:password@host with TLS';
    return fail('RV3001', 'the address of Redis is not valid', { origin, hint });
  }
  const [username, inAddress] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  const password = inAddress || process.env.REDISCLI_AUTH;
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    db: Number(db),
    ...(username !== '' && { username }),
    ...(password && { password }),
    tls: url.protocol === 'rediss:',
    shown: `${url.protocol}//${url.host}${url.pathname}`,
  };
}
