/** What an embedded team asks of foreign C before it is let in: a clean static analysis, both build files, determinism. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CompileOptions, compile } from '../../src/compile.ts';
import type { Project } from '../../src/emit/project.ts';
import { hasCommand } from '../support/emitted.ts';

const MODEL = readFileSync(join(import.meta.dirname, '../../examples/digits/digits.tflite'));

const VARIANTS: readonly CompileOptions[] = [
  { optimize: 'speed', schedule: 'whole' },
  { optimize: 'size', schedule: 'stream' },
  { optimize: 'speed', inputMode: 'rows' },
];

describe.each(VARIANTS)('the digits project, %o', (options) => {
  const project = (): Project => compile(MODEL, { file: 'digits.tflite', ...options }).project;

  it('is the same bytes every time', () => {
    expect([...project()]).toEqual([...project()]);
  });

  it.skipIf(!hasCommand('cppcheck'))('has nothing for cppcheck to warn about', () => {
    inFolder(project(), (folder) => {
      const flags = [
        '--quiet',
        '--std=c99',
        '--enable=warning,performance,portability',
        '--error-exitcode=1',
      ];
      run('cppcheck', [...flags, 'digits.c', 'digits_kernels.c', 'main.c'], folder);
    });
  });

  it.skipIf(!hasCommand('make') || !hasCommand('cc'))('builds with make, and its example runs', () => {
    inFolder(project(), (folder) => {
      run('make', ['-s', 'CFLAGS=-O1 -Werror -std=c99 -Wall -Wextra -Wconversion -Wshadow'], folder);
      expect(run(join(folder, 'digits_example'), [], folder)).toMatch(/^\S+:( -?\d+){10}\n$/);
    });
  });
});

function inFolder(project: Project, work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'rivulet-static-'));
  try {
    for (const [file, text] of project) writeFileSync(join(folder, file), text);
    work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
