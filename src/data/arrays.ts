/** NumPy arrays: x.npy with one item a row of its first dimension, and y.npy with their labels. */
import { basename, dirname, join } from 'node:path';
import { fail } from '../core/diagnostics.ts';
import { toNumbers } from '../core/dtype.ts';
import { readBytes } from '../run/files.ts';
import { type NpyArray, readNpy } from '../run/npy.ts';
import { type Block, type DataSource, sourceOfBlocks } from './dataset.ts';

/** Whether a file name is that of items: `x.npy`, `x_train.npy`, `X_test.npy`. */
export function isItemsArray(name: string): boolean {
  return /^x\b.*\.npy$|^x_.*\.npy$/i.test(name);
}

/**
 * Opens arrays of uint8, which are pixels, or of any other type, which are numbers. Pictures are [items, height, width,
 * channels], or [items, height, width] if they are grey.
 * @param train path of the items; the labels are beside it, with y in place of x
 * @throws RivuletError RV1006, RV3002 (not an .npy file), RV4001 to RV4005
 */
export async function openArrays(train: string, test: string | undefined): Promise<DataSource> {
  const [first, second] = [await readPair(train), test === undefined ? undefined : await readPair(test)];
  return sourceOfBlocks(first, second, { train: labelsOf(train), test: labelsOf(test ?? train) });
}

function labelsOf(items: string): string {
  const name = basename(items);
  return join(dirname(items), (name.startsWith('X') ? 'Y' : 'y') + name.slice(1));
}

async function readPair(path: string): Promise<Block> {
  const items = readNpy(await readBytes(path, path), path);
  const [count = 0, ...size] = items.shape;
  const labels = await readLabels(labelsOf(path), count);
  if (size.length === 0 || size.includes(0)) {
    fail(
      'RV4001',
      `items have at least one dimension that is not empty, this is [${items.shape.join(', ')}]`,
      { origin: path },
    );
  }
  if (items.dtype === 'uint8') {
    const shape = size.length === 2 ? [...size, 1] : size;
    return { kind: 'pixels', shape, values: items.data as Uint8Array, labels };
  }
  return { kind: 'reals', shape: size, values: requireFinite(items, path), labels };
}

function requireFinite(items: NpyArray, origin: string): Float32Array {
  const values =
    items.dtype === 'float32' ? (items.data as Float32Array) : Float32Array.from(toNumbersOf(items));
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    const item = Math.floor((wrong * items.shape[0]!) / values.length);
    fail('RV4002', `item ${item} holds ${values[wrong]}`, { origin, hint: 'numbers must be finite' });
  }
  return values;
}

async function readLabels(path: string, count: number): Promise<Int32Array> {
  const array = readNpy(await readBytes(path, path), path);
  if (array.shape.some((size, i) => size !== (i === 0 ? count : 1))) {
    fail('RV4002', `[${array.shape.join(', ')}] labels for ${count} items`, { origin: path });
  }
  const labels = toNumbersOf(array);
  const wrong = labels.findIndex((label) => label !== (label | 0) || label < 0);
  if (wrong >= 0) fail('RV4004', `item ${wrong} has the label ${labels[wrong]}`, { origin: path });
  return Int32Array.from(labels);
}

function toNumbersOf({ dtype, data }: NpyArray): number[] {
  return dtype === 'float64' ? [...data] : toNumbers(data);
}
