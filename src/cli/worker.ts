/** `rivulet worker`: does the jobs of others. */
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { RivuletError } from '../core/diagnostics.ts';
import { nativeFingerprint, nativeHost } from '../run/engine/native-host.ts';
import { parseRedisAddress } from '../workers/redis/address.ts';
import { KINDS } from '../workers/registry.ts';
import { count, EXIT, printable, type Result } from './output.ts';
import { threadsOption } from './workers-options.ts';

interface Options {
  readonly redis: string;
  readonly threads: number;
  readonly name: string;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export function addWorker(
  program: Command,
  deliver: (result: Result) => void,
  tell: (text: string) => void,
): void {
  program
    .command('worker')
    .summary('do jobs of searches that run on other machines')
    .description(
      'Takes jobs from Redis until it is stopped: those of commands that were given the same address as --workers. SIGINT and SIGTERM let it end what it is at, or hand it back; a second one ends it at once. Nothing is lost in either case.',
    )
    .requiredOption('--redis <url>', 'redis://[[user]:password@]host[:port][/db], rediss:// with TLS')
    .addOption(threadsOption())
    .option('--name <name>', 'what it is called in messages', hostname())
    .option('--json', 'print one JSON document at the end')
    .action(async ({ redis, threads, name }: Options) => {
      const address = parseRedisAddress(redis, '--redis');
      const native = await ownNative();
      // BullMQ takes a while to load.
      const { Server } = await import('../workers/redis/serve.ts');
      const server = await Server.start({
        ...{ address, threads, name, registry: KINDS },
        ...(native !== undefined && { native }),
        tell: (text) => tell(printable(text)),
      });
      const stop = (): void => void server.stop();
      for (const signal of SIGNALS) process.once(signal, stop);
      tell(`worker ${name}, ${server.program}, ${threads} threads: waits for jobs at ${address.shown}`);
      try {
        const { jobs, batches } = await server.ended;
        const text = `${count(jobs)} jobs of ${count(batches)} batches\n`;
        deliver({ document: { name, jobs, batches }, text, exitCode: EXIT.ok });
      } finally {
        for (const signal of SIGNALS) process.off(signal, stop);
      }
    });
}

/** Builds the native engine, so that no job waits for it. */
async function ownNative(): Promise<string | undefined> {
  try {
    await nativeHost();
    return await nativeFingerprint();
  } catch (error) {
    if (error instanceof RivuletError && error.diagnostics[0]?.code === 'RV3004') return undefined;
    throw error;
  }
}
