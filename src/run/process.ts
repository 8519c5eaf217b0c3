/** Running other programs: no shell, bounded output, a deadline. */
import { spawn } from 'node:child_process';

export interface Outcome {
  /** Exit status; null if the program did not start, was killed by a signal or by the deadline. */
  readonly status: number | null;
  /** Standard output and error as they came, the last part of them if there was much. */
  readonly output: string;
  readonly timedOut: boolean;
  /** False if there is no such program. */
  readonly started: boolean;
}

export interface ExecuteOptions {
  /** Working folder. */
  readonly cwd?: string;
  /** Milliseconds until the program is killed. */
  readonly timeoutMs?: number;
}

/** Characters of output that are kept: enough for the symbols of any firmware. */
const OUTPUT_LIMIT = 1 << 22;

/** Runs `command` to its end. Never throws: whatever happens is in the outcome. */
export function execute(
  command: string,
  args: readonly string[],
  { cwd, timeoutMs = 120_000 }: ExecuteOptions = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
    });
    let output = '';
    let timedOut = false;
    const keep = (text: string) => {
      output = (output + text).slice(-OUTPUT_LIMIT);
    };
    const deadline = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => {
      clearTimeout(deadline);
      resolve({ status: null, output: error.message, timedOut, started: false });
    });
    child.on('close', (status, signal) => {
      clearTimeout(deadline);
      if (signal !== null && !timedOut) keep(`\nended by ${signal}`);
      resolve({ status, output, timedOut, started: true });
    });
  });
}
