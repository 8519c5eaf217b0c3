/** A folder of build results, each under a hash of everything it was made from. Processes may share it. */
import { createHash } from 'node:crypto';
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fail } from '../core/diagnostics.ts';

/** Hash of a list of strings; the lengths are hashed too, so that no two lists run together. */
export function contentHash(parts: Iterable<string>): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 32);
}

/**
 * The folder in which programs are built and kept. It must be the user's alone: what lies in it is executed.
 * Throws RV3005 where it cannot be used.
 */
async function openCache(): Promise<string> {
  const user = userInfo().uid;
  const folder = join(tmpdir(), user < 0 ? 'rivulet-cache' : `rivulet-cache-${user}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (user >= 0 && (await stat(folder)).uid !== user) throw new Error('it belongs to another user');
    await chmod(folder, 0o700);
  } catch (error) {
    fail('RV3005', `the build cache ${folder} cannot be used: ${(error as Error).message}`);
  }
  await removeStale(folder);
  return folder;
}

/** Days after its last use at which a build is thrown away, and with it what an interrupted process left. */
const KEEP_DAYS = 3;

async function removeStale(folder: string): Promise<void> {
  const oldest = Date.now() - KEEP_DAYS * 24 * 3600 * 1000;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    // Another process may be removing the same entry.
    const entry = await stat(path).catch(() => undefined);
    if (entry !== undefined && entry.mtimeMs < oldest) await rm(path, { recursive: true, force: true });
  }
}

let opened: Promise<string> | undefined;

function cacheFolder(): Promise<string> {
  opened ??= openCache();
  return opened;
}

/** A new empty folder for one run; the caller removes it. */
export async function scratchFolder(purpose: string): Promise<string> {
  return mkdtemp(join(await cacheFolder(), `${purpose}-`));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * The folder filled by `build` for this key, built now unless it is there already. The build happens in a scratch folder
 * that is renamed when complete: a failed or interrupted one leaves nothing behind under the key, and of two processes
 * that build the same thing one wins.
 */
export async function cachedFolder(key: string, build: (folder: string) => Promise<void>): Promise<string> {
  const home = join(await cacheFolder(), key);
  const now = new Date();
  if (await exists(home)) {
    await utimes(home, now, now);
    return home;
  }
  const scratch = await scratchFolder('build');
  try {
    await build(scratch);
    await rename(scratch, home).catch(async (error) => {
      if (!(await exists(home))) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return home;
}
