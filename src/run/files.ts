/** Reading the user's files: whatever is wrong with one is RV1006 with its name, before anything large is read. */
import { readFile, stat } from 'node:fs/promises';
import { fail } from '../core/diagnostics.ts';

/** No model or input for a microcontroller comes near this. */
const MAX_BYTES = 512 * 1024 * 1024;

/**
 * The contents of a file.
 * @param origin where the user named it, e.g. `--input photo.png`
 * @throws RivuletError RV1006 if it does not exist, is no regular file, is larger than 512 MiB or cannot be read
 */
export async function readBytes(path: string, origin: string): Promise<Uint8Array> {
  const refuse = (message: string, hint?: string): never =>
    fail('RV1006', message, { origin, ...(hint !== undefined && { hint }) });
  try {
    const status = await stat(path);
    if (status.isDirectory()) refuse(`"${path}" is a folder`, 'name a file in it');
    if (!status.isFile()) refuse(`"${path}" is not a regular file`, 'save it to a file first');
    if (status.size > MAX_BYTES) {
      refuse(`"${path}" has ${status.size} bytes`, `files up to ${MAX_BYTES} bytes are read`);
    }
    return new Uint8Array(await readFile(path));
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ENOENT':
      case 'ENOTDIR':
        return refuse(`there is no file "${path}"`);
      case 'EACCES':
      case 'EPERM':
        return refuse(`"${path}" may not be read`, 'check its permissions');
      case undefined:
        throw error;
      default:
        return refuse(`"${path}" cannot be read: ${(error as Error).message}`);
    }
  }
}
