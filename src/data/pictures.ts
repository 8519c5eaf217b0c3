/** Folders of pictures, one for each class. */
import { readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fail } from '../core/diagnostics.ts';
import type { ImageSize } from './dataset.ts';

const PICTURES = new Set(['.jpg', '.jpeg', '.png', '.bmp', '.webp', '.gif']);

export interface PictureList {
  readonly classes: readonly string[];
  readonly paths: readonly string[];
  readonly labels: readonly number[];
}

/**
 * All pictures below `root`, classes and files in order of their names.
 * @param known classes that another part of the set has; one that it lacks is RV4002
 * @returns null if no folder in `root` has pictures
 */
export async function listPictures(
  root: string,
  known: readonly string[] | null,
): Promise<PictureList | null> {
  const entries = await readdir(root, { withFileTypes: true });
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  const found: { name: string; files: string[] }[] = [];
  for (const name of folders) {
    const files = (await readdir(join(root, name)))
      .filter((file) => PICTURES.has(extname(file).toLowerCase()))
      .sort();
    if (files.length > 0) found.push({ name, files });
  }
  if (found.length === 0) return null;
  const empty = folders.find((name) => !found.some((each) => each.name === name));
  if (empty !== undefined)
    fail('RV4002', 'the folder of a class has no pictures', { origin: join(root, empty) });
  const classes = known ?? found.map(({ name }) => name);
  const stray = found.find(({ name }) => !classes.includes(name));
  if (stray !== undefined)
    fail('RV4002', `there is no class "${stray.name}" to train`, { origin: join(root, stray.name) });
  const all = found.flatMap(({ name, files }) =>
    files.map((file) => ({ path: join(root, name, file), label: classes.indexOf(name) })),
  );
  return { classes, paths: all.map(({ path }) => path), labels: all.map(({ label }) => label) };
}

/** Pixels of a picture, upright and stretched to `size`; null if it is none. */
export async function decodePicture(
  bytes: Uint8Array,
  [height, width, channels]: ImageSize,
  origin: string,
): Promise<Uint8Array | null> {
  const { default: sharp } = await import('sharp').catch((error: Error) =>
    fail('RV3004', `pictures cannot be read here: ${error.message.split('\n')[0]}`, { origin }),
  );
  try {
    return await sharp(bytes)
      .autoOrient()
      .resize(width, height, { fit: 'fill' })
      .flatten()
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw({ depth: 'uchar' })
      .toBuffer();
  } catch {
    return null;
  }
}
