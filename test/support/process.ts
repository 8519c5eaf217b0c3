/** The built command line, as a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BUILT } from './work.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/rivulet');

export const IS_BUILT = existsSync(BUILT);

/** @returns the process, and what gives all that it has written so far */
export function start(...argv: string[]): { readonly child: ChildProcess; text(): string } {
  const child = spawn(process.execPath, [PROGRAM, ...argv]);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += String(chunk);
    });
  }
  return { child, text: () => text };
}
