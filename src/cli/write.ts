/** Writing the user's files. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail } from '../core/diagnostics.ts';

/**
 * Writes a file, with the folders it lies in.
 * @throws RivuletError RV3005
 */
export async function writeFileAt(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  } catch (error) {
    fail('RV3005', (error as Error).message, { origin: path });
  }
}
