/**
 * The engine's native host: the same kernels, compiled with the user's compiler for the user's processor, in a shared
 * library that is kept in the build cache.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../core/diagnostics.ts';
import { SOURCES } from '../../generated/sources.ts';
import { SPREAD_ALIGNMENT } from '../../plan/spread.ts';
import { cachedFolder, contentHash } from '../cache.ts';
import { execute } from '../process.ts';
import { requireTool } from '../toolchain.ts';
import type { EngineHost, EngineMemory } from './engine.ts';

/** Sums may be split and products need not be rounded: see docs/training.md on what that means for float32. */
const FLAGS = [
  '-std=gnu11',
  '-O3',
  '-march=native',
  '-ffp-contract=fast',
  '-fno-math-errno',
  '-fPIC',
  '-shared',
  '-w',
];
const BUILD_TIMEOUT_MS = 300_000;
/** Headers of instruction sets whose kernels are not for computers. */
const FOREIGN = /#include "rivulet_(dsp|mve|scalar)\w*\.h"/;

let opened: Promise<EngineHost> | undefined;

/** Throws RV3004 where there is no C compiler, or koffi cannot be loaded; RV9004 if the kernels do not compile. */
export function nativeHost(): Promise<EngineHost> {
  opened ??= openHost();
  return opened;
}

async function openHost(): Promise<EngineHost> {
  const koffi = await loadKoffi();
  const library = koffi.load(join(await buildLibrary(), LIBRARY));
  const runSteps = library.func('void rv_run_steps(void *steps, int32_t count)');
  const symbols = new Map<string, number>();
  const kernel = (name: string): number => {
    const address = symbols.get(name) ?? addressOf(library, name);
    symbols.set(name, address);
    return address;
  };
  return {
    open(bytes): EngineMemory {
      const buffer = new ArrayBuffer(bytes + SPREAD_ALIGNMENT);
      const start = Number(koffi.address(new Uint8Array(buffer)));
      const skipped = (SPREAD_ALIGNMENT - (start % SPREAD_ALIGNMENT)) % SPREAD_ALIGNMENT;
      return {
        bytes: new Uint8Array(buffer, skipped, bytes),
        base: start + skipped,
        pointerBytes: 8,
        kernel,
        run: (steps, count) => runSteps(BigInt(steps), count),
      };
    },
  };
}

type Koffi = typeof import('koffi');

function addressOf(library: ReturnType<Koffi['load']>, name: string): number {
  try {
    return Number(library.symbol(`rv_${name}`));
  } catch {
    return fail('RV9003', `kernel ${name} is not for computers`);
  }
}

async function loadKoffi(): Promise<Koffi> {
  try {
    return (await import('koffi')).default as unknown as Koffi;
  } catch (error) {
    return fail('RV3004', `the native engine cannot be loaded: ${(error as Error).message}`, {
      hint: 'install the npm package koffi, or use the WebAssembly engine',
    });
  }
}

const LIBRARY = 'kernels.so';

/** What the library is made of, and what it is called after: equal keys compute equal float32. */
interface Recipe {
  readonly key: string;
  readonly command: string;
  /** Names in SOURCES. */
  readonly kernels: readonly string[];
  readonly headers: readonly string[];
}

async function recipe(): Promise<Recipe> {
  const { command, version } = await requireTool('cc');
  // What the compiler makes of -march=native: a cache may be shared between machines.
  const { output } = await execute(command, ['-march=native', '-dM', '-E', '-x', 'c', '/dev/null']);
  const kernels = Object.keys(SOURCES).filter((name) => name.endsWith('.c') && !FOREIGN.test(SOURCES[name]!));
  const headers = Object.keys(SOURCES).filter((name) => name.endsWith('.h'));
  const sources = [...headers, ...kernels].flatMap((name) => [name, SOURCES[name]!]);
  return { key: contentHash([version, output, ...FLAGS, ...sources]), command, kernels, headers };
}

/** The same on two machines only if their native engines give the same bytes. Throws RV3004 where there is no C compiler. */
export async function nativeFingerprint(): Promise<string> {
  return (await recipe()).key;
}

/** The folder of the library, built unless it was before. */
async function buildLibrary(): Promise<string> {
  const { key, command, kernels, headers } = await recipe();
  return cachedFolder(`engine-${key}`, async (folder) => {
    const files = [...headers, ...kernels];
    await Promise.all(files.map((name) => writeFile(join(folder, name), SOURCES[name]!)));
    const built = await execute(command, [...FLAGS, ...kernels, '-o', LIBRARY], {
      cwd: folder,
      timeoutMs: BUILD_TIMEOUT_MS,
    });
    if (built.status !== 0) fail('RV9004', `the kernels do not compile here:\n${built.output}`);
  });
}
