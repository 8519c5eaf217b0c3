/**
 * Data sets of pictures. Decoding 60,000 of them takes most of a minute, so their pixels are kept in a file under the
 * user's cache; items are read from there one at a time, so that a set may be larger than memory.
 */
import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Diagnostic, fail, RivuletError, warningDiagnostic } from '../core/diagnostics.ts';
import { cachedFolder, contentHash } from '../run/cache.ts';
import { decodePicture, type Picture } from '../run/picture.ts';
import { type DataSource, type Dataset, few, finishSource, requireIndex } from './dataset.ts';
import { listPictures, type PictureFile } from './picture-list.ts';

export interface PictureSetOptions {
  /** Height and width that pictures are stretched to. Without it they must all have the same. */
  readonly size?: readonly [number, number];
  /** 3 (default): RGB; 1: luminance. */
  readonly channels?: 1 | 3;
  /** Called now and then while pictures are decoded. */
  readonly progress?: (done: number, total: number) => void;
}

/** What is kept beside the pixels. */
interface Decoded {
  /** Height and width of every picture. */
  readonly size: readonly [number, number];
  /** Positions in the list of files, and why they could not be read. */
  readonly unreadable: readonly { readonly index: number; readonly reason: string }[];
}

/** Part of the cache's key: to be changed with what the files mean. */
const LAYOUT = 'pictures 1';
/**
 * Pictures that are decoded at the same time. They are decoded by libuv's threads, which keep two cores busy: worker threads
 * on top of them gained nothing.
 */
const IN_FLIGHT = 64;

/**
 * Opens a folder with a folder of .jpg or .png files for each class, or train/ and test/ above those. What cannot be read is
 * left out and named in the warnings.
 * @throws RivuletError RV1006, RV3004, RV3005, RV4001 to RV4005
 */
export async function openPictures(root: string, options: PictureSetOptions = {}): Promise<DataSource> {
  const { size, channels = 3, progress } = options;
  const { classes, train, test, warnings } = listPictures(root);
  const files = [...train, ...(test ?? [])];
  if (files.length === 0) {
    fail('RV4001', 'there are no pictures in it', {
      origin: root,
      hint: 'a data set is CLASS/NAME.jpg or .png, or that below train/ and test/',
    });
  }
  const listing = files.map(({ path, bytes, modifiedMs }) => `${path} ${bytes} ${modifiedMs}`);
  const key = contentHash([LAYOUT, resolve(root), JSON.stringify([size ?? 'own', channels]), ...listing]);
  const folder = await cachedFolder(`pictures-${key}`, (scratch) =>
    decodeAll(root, files, { ...(size && { size }), channels, ...(progress && { progress }) }, scratch),
  );
  const decoded = JSON.parse(readFileSync(join(folder, 'decoded.json'), 'utf8')) as Decoded;
  const shape = [...decoded.size, channels];
  const pixels = openSync(join(folder, 'pixels'), 'r');
  const left = new Set(decoded.unreadable.map(({ index }) => index));
  const part = (from: number, to: number): Dataset => {
    const items = files.slice(from, to).flatMap(({ label }, i) => (left.has(from + i) ? [] : [label]));
    const before = from - decoded.unreadable.filter(({ index }) => index < from).length;
    return pictureSet(pixels, before, Int32Array.from(items), classes, shape);
  };
  try {
    return finishSource(
      part(0, train.length),
      test && part(train.length, files.length),
      root,
      [...warnings, ...unreadableWarning(decoded, files, root)],
      () => closeSync(pixels),
    );
  } catch (error) {
    closeSync(pixels);
    throw error;
  }
}

/** The pictures from position `first` of the file on. */
function pictureSet(
  pixels: number,
  first: number,
  labels: Int32Array,
  classes: readonly string[],
  shape: readonly number[],
): Dataset {
  const bytes = shape.reduce((product, n) => product * n, 1);
  return {
    classes,
    shape,
    kind: 'pixels',
    length: labels.length,
    labels,
    item: (index) => {
      requireIndex(index, labels.length);
      const values = new Uint8Array(bytes);
      const read = readSync(pixels, values, 0, bytes, (first + index) * bytes);
      if (read !== bytes) fail('RV1006', 'the cache of decoded pictures is cut short', { hint: 'remove it' });
      return { values, label: labels[index]! };
    },
  };
}

function unreadableWarning(
  { unreadable }: Decoded,
  files: readonly PictureFile[],
  origin: string,
): Diagnostic[] {
  if (unreadable.length === 0) return [];
  const names = unreadable.map(({ index, reason }) => `${files[index]!.path}: ${reason}`);
  const what = `${unreadable.length} of ${files.length} pictures cannot be read and are left out: ${few(names)}`;
  return [warningDiagnostic('RV4002', what, { origin })];
}

/** Fills `folder` with the pixels of all pictures, in the order of the files, and `decoded.json`. */
async function decodeAll(
  root: string,
  files: readonly PictureFile[],
  { size, channels, progress }: PictureSetOptions & { readonly channels: 1 | 3 },
  folder: string,
): Promise<void> {
  const unreadable: { index: number; reason: string }[] = [];
  let first: { readonly size: readonly [number, number]; readonly path: string } | undefined;
  const out = openSync(join(folder, 'pixels'), 'w');
  try {
    for (let from = 0; from < files.length; from += IN_FLIGHT) {
      const batch = files.slice(from, from + IN_FLIGHT);
      const pictures = await Promise.all(
        batch.map(({ path }) => tryDecode(join(root, path), channels, size)),
      );
      for (const [i, picture] of pictures.entries()) {
        if (typeof picture === 'string') unreadable.push({ index: from + i, reason: picture });
        else {
          const { path } = batch[i]!;
          first ??= { size: [picture.height, picture.width], path };
          requireSize(picture, path, first, root);
          write(out, picture.pixels, root);
        }
      }
      progress?.(Math.min(from + IN_FLIGHT, files.length), files.length);
    }
  } finally {
    closeSync(out);
  }
  if (first === undefined) {
    fail('RV4002', `none of ${files.length} pictures can be read, the first: ${unreadable[0]!.reason}`, {
      origin: join(root, files[0]!.path),
    });
  }
  const decoded: Decoded = { size: first.size, unreadable };
  writeFileSync(join(folder, 'decoded.json'), JSON.stringify(decoded));
}

/** The picture, or why there is none. */
async function tryDecode(
  path: string,
  channels: 1 | 3,
  size: readonly [number, number] | undefined,
): Promise<Picture | string> {
  try {
    // Small files are read faster at once than through a thread and back.
    return await decodePicture(readFileSync(path), channels, path, size);
  } catch (error) {
    if (!(error instanceof RivuletError)) return (error as Error).message;
    const [{ code, message } = { code: undefined, message: '' }] = error.diagnostics;
    // Without a decoder every picture would be left out.
    if (code !== 'RV1006') throw error;
    return message;
  }
}

function requireSize(
  { height, width }: Picture,
  path: string,
  first: { readonly size: readonly [number, number]; readonly path: string },
  root: string,
): void {
  if (height === first.size[0] && width === first.size[1]) return;
  fail('RV4003', `"${path}" is ${height}x${width}, "${first.path}" is ${first.size.join('x')}`, {
    origin: root,
    hint: 'say to which height and width pictures are stretched',
  });
}

function write(file: number, bytes: Uint8Array, root: string): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  } catch (error) {
    fail('RV3005', `decoded pictures cannot be kept: ${(error as Error).message}`, { origin: root });
  }
}
