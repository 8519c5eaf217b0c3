/** What tells one program from another: results of another must not be taken for results of this. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../version.ts';
import { sha256 } from './shared.ts';

const HOME = fileURLToPath(new URL('..', import.meta.url));
/** Digits of the hash that are told. */
const DIGITS = 12;

/** Version and hash of all modules, kernels included, with the registry where that is another's: `0.1.0-89ab01cd23ef`. */
export function programOf(registry: string): string {
  const modules = readdirSync(HOME, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.[jt]s$/.test(path) && !path.endsWith('.d.ts'))
    .sort()
    .map((path) => join(HOME, path));
  const hashes = [...modules, fileURLToPath(registry)].map((path) => sha256(readFileSync(path)));
  return `${VERSION}-${sha256(hashes.join()).slice(0, DIGITS)}`;
}
