/**
 * Items that are files and have to be decoded. Decoding a large set takes a minute, so what comes out is kept in a file under
 * the user's cache; items are read from there one at a time, so that a set may be larger than memory.
 */
import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Diagnostic, fail, RivuletError, warningDiagnostic } from '../core/diagnostics.ts';
import { cachedFolder, contentHash } from '../run/cache.ts';
import { type DataSource, type Dataset, few, finishSource, type Item, requireIndex } from './dataset.ts';
import type { FileList, ItemFile } from './file-list.ts';

/** What a file holds. */
export interface DecodedItem {
  readonly shape: readonly number[];
  /** As they are kept: as many for every item of a shape. */
  readonly bytes: Uint8Array;
}

/** How the files of a set are decoded. */
export interface Decoding {
  /** In the plural, for diagnostics. */
  readonly name: string;
  /** All that the bytes depend on besides the files. */
  readonly key: readonly string[];
  readonly kind: Dataset['kind'];
  /** @throws RivuletError RV1006 or RV4002 for a file that is left out; anything else ends the opening */
  readonly decode: (path: string) => Promise<DecodedItem> | DecodedItem;
  /** An item's values of the bytes that were kept. */
  readonly values: (bytes: Uint8Array) => Item['values'];
  /** What helps where items have several shapes. */
  readonly shapeHint: string;
  readonly progress?: (done: number, total: number) => void;
}

/** What is kept beside the bytes. */
interface Kept {
  readonly shape: readonly number[];
  /** Of an item. */
  readonly bytes: number;
  /** Positions in the list of files, and why they could not be read. */
  readonly unreadable: readonly { readonly index: number; readonly reason: string }[];
}

/** Part of the cache's key: to be changed with what the files mean. */
const LAYOUT = 'decoded 1';
/** Files that are decoded at the same time: more than enough to keep the threads busy that decode pictures, libuv's. */
const IN_FLIGHT = 64;

/**
 * Opens the files of a list; those that cannot be read are left out and named in the warnings.
 * @throws RivuletError RV1006, RV3005, RV4002 (no file can be read), RV4003 (several shapes), RV4005
 */
export async function openDecoded(root: string, list: FileList, decoding: Decoding): Promise<DataSource> {
  const { classes, train, test, warnings } = list;
  const files = [...train, ...(test ?? [])];
  const listing = files.map(({ path, bytes, modifiedMs }) => `${path} ${bytes} ${modifiedMs}`);
  const key = contentHash([LAYOUT, resolve(root), ...decoding.key, ...listing]);
  const folder = await cachedFolder(`decoded-${key}`, (scratch) => decodeAll(root, files, decoding, scratch));
  const kept = JSON.parse(readFileSync(join(folder, 'decoded.json'), 'utf8')) as Kept;
  const data = openSync(join(folder, 'items'), 'r');
  const left = new Set(kept.unreadable.map(({ index }) => index));
  const part = (from: number, to: number): Dataset => {
    const labels = files.slice(from, to).flatMap(({ label }, i) => (left.has(from + i) ? [] : [label]));
    const before = from - kept.unreadable.filter(({ index }) => index < from).length;
    return setOf(data, before, Int32Array.from(labels), classes, kept, decoding);
  };
  try {
    return finishSource(
      part(0, train.length),
      test && part(train.length, files.length),
      root,
      [...warnings, ...unreadableWarning(kept, files, decoding.name, root)],
      () => closeSync(data),
    );
  } catch (error) {
    closeSync(data);
    throw error;
  }
}

/** The items from position `first` of the file on. */
function setOf(
  data: number,
  first: number,
  labels: Int32Array,
  classes: readonly string[],
  { shape, bytes }: Kept,
  { kind, values }: Decoding,
): Dataset {
  const item = (index: number): Item => {
    requireIndex(index, labels.length);
    const read = new Uint8Array(bytes);
    if (readSync(data, read, 0, bytes, (first + index) * bytes) !== bytes) {
      fail('RV1006', 'the cache of decoded items is cut short', { hint: 'remove it' });
    }
    return { values: values(read), label: labels[index]! };
  };
  return { classes, shape, kind, length: labels.length, labels, item };
}

function unreadableWarning(
  { unreadable }: Kept,
  files: readonly ItemFile[],
  name: string,
  origin: string,
): Diagnostic[] {
  if (unreadable.length === 0) return [];
  const names = unreadable.map(({ index, reason }) => `${files[index]!.path}: ${reason}`);
  const what = `${unreadable.length} of ${files.length} ${name} cannot be read and are left out: ${few(names)}`;
  return [warningDiagnostic('RV4002', what, { origin })];
}

/** Fills `folder` with the bytes of all items, in the order of the files, and `decoded.json`. */
async function decodeAll(
  root: string,
  files: readonly ItemFile[],
  decoding: Decoding,
  folder: string,
): Promise<void> {
  const unreadable: { index: number; reason: string }[] = [];
  let first: (DecodedItem & { readonly path: string }) | undefined;
  const out = openSync(join(folder, 'items'), 'w');
  try {
    for (let from = 0; from < files.length; from += IN_FLIGHT) {
      const batch = files.slice(from, from + IN_FLIGHT);
      const items = await Promise.all(batch.map(({ path }) => tryDecode(join(root, path), decoding)));
      for (const [i, item] of items.entries()) {
        if (typeof item === 'string') unreadable.push({ index: from + i, reason: item });
        else {
          const { path } = batch[i]!;
          first ??= { ...item, path };
          requireShape(item, path, first, decoding, root);
          write(out, item.bytes, root);
        }
      }
      decoding.progress?.(Math.min(from + IN_FLIGHT, files.length), files.length);
    }
  } finally {
    closeSync(out);
  }
  if (first === undefined) {
    fail(
      'RV4002',
      `none of ${files.length} ${decoding.name} can be read, the first: ${unreadable[0]!.reason}`,
      {
        origin: join(root, files[0]!.path),
      },
    );
  }
  const kept: Kept = { shape: first.shape, bytes: first.bytes.length, unreadable };
  writeFileSync(join(folder, 'decoded.json'), JSON.stringify(kept));
}

/** The item, or why there is none. */
async function tryDecode(path: string, { decode }: Decoding): Promise<DecodedItem | string> {
  try {
    return await decode(path);
  } catch (error) {
    if (!(error instanceof RivuletError)) return (error as Error).message;
    const [{ code, message } = { code: undefined, message: '' }] = error.diagnostics;
    // Without a decoder every file would be left out.
    if (code !== 'RV1006' && code !== 'RV4002') throw error;
    return message;
  }
}

function requireShape(
  { shape }: DecodedItem,
  path: string,
  first: DecodedItem & { readonly path: string },
  { shapeHint }: Decoding,
  root: string,
): void {
  const text = shape.slice(0, 2).join('x');
  const wanted = first.shape.slice(0, 2).join('x');
  if (text === wanted) return;
  fail('RV4003', `"${path}" is ${text}, "${first.path}" is ${wanted}`, { origin: root, hint: shapeHint });
}

function write(file: number, bytes: Uint8Array, root: string): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  } catch (error) {
    fail('RV3005', `decoded items cannot be kept: ${(error as Error).message}`, { origin: root });
  }
}
