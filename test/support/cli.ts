import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../src/cli/main.ts';

export interface CliOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in this process. */
export async function cli(...argv: string[]): Promise<CliOutcome> {
  let [stdout, stderr] = ['', ''];
  const code = await main(argv, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    colour: false,
  });
  return { code, stdout, stderr };
}

/** With --json: the one document on stdout. */
export async function cliJson<T>(...argv: string[]): Promise<CliOutcome & { document: T }> {
  const outcome = await cli(...argv, '--json');
  return { ...outcome, document: JSON.parse(outcome.stdout) as T };
}

/** What --json gives for errors. */
export interface ErrorDocument {
  readonly error: {
    readonly diagnostics: readonly { code: string; message: string; origin?: string; hint?: string }[];
  };
}

/** A folder for the time of `use`. */
export function temporaryFolder(): { path: (name: string) => string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'rivulet-cli-'));
  return {
    path: (name) => join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
