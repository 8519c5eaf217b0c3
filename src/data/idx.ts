/**
 * IDX files, the format of MNIST and its kin: two zero bytes, an element type, the number of dimensions, the sizes
 * (big-endian), the elements. Source: http://yann.lecun.com/exdb/mnist, "the IDX file format".
 */
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fail } from '../core/diagnostics.ts';
import { readBytes } from '../run/files.ts';
import { type Block, type DataSource, sourceOfBlocks } from './dataset.ts';

const UNSIGNED_BYTE = 0x08;
/** Of the elements; what a .gz file unfolds to is limited too. */
const MAX_BYTES = 1 << 30;

export interface IdxArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Uint8Array;
}

/**
 * Reads unsigned bytes.
 * @param origin names the file in diagnostics
 * @throws RivuletError RV4002 if it is not such a file or cut short
 */
export function readIdx(bytes: Uint8Array, origin: string): IdxArray {
  const refuse = (message: string): never => fail('RV4002', message, { origin });
  const [zero0, zero1, type, rank = 0] = bytes;
  if (bytes.length < 4 || zero0 !== 0 || zero1 !== 0 || rank < 1) refuse('the file is not an IDX file');
  if (type !== UNSIGNED_BYTE)
    refuse(`elements of type 0x${type?.toString(16)} are not read, only unsigned bytes`);
  const start = 4 + 4 * rank;
  if (bytes.length < start) refuse('the file ends in its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const needed = shape.reduce((product, size) => product * size, 1);
  if (bytes.length - start !== needed) {
    refuse(`${bytes.length - start} bytes of data where [${shape.join(', ')}] takes ${needed}`);
  }
  return { shape, data: bytes.subarray(start) };
}

const IMAGES = /^(.*)images([-.]?)idx3([-_]ubyte(?:\.gz)?)$/;

/** Whether a file name is that of pictures, e.g. `train-images-idx3-ubyte.gz`. */
export function isIdxImages(name: string): boolean {
  return IMAGES.test(name);
}

/** Of two file names with the same pictures, packed and not, the one that is read. */
function chooseFile(names: readonly string[], prefix: RegExp): string | undefined {
  return names
    .filter((name) => isIdxImages(name) && prefix.test(name))
    .toSorted((a, b) => a.length - b.length)[0];
}

/**
 * Opens a folder with `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, and `t10k-` or `test-` for testing; all may
 * end in `.gz`.
 * @param names what the folder holds
 * @throws RivuletError RV1006, RV4001 to RV4005
 */
export async function openIdxFolder(folder: string, names: readonly string[]): Promise<DataSource> {
  const [train, test] = [chooseFile(names, /^train/), chooseFile(names, /^(?:t10k|test)/)];
  if (train === undefined) {
    return fail('RV4001', 'there are IDX files, but no train-images-idx3-ubyte', { origin: folder });
  }
  return openPair(join(folder, train), test && join(folder, test));
}

/** Opens one file of pictures; its labels lie beside it. */
export function openIdxFile(path: string): Promise<DataSource> {
  return openPair(path, undefined);
}

async function openPair(train: string, test: string | undefined): Promise<DataSource> {
  const [first, second] = [await readPair(train), test === undefined ? undefined : await readPair(test)];
  return sourceOfBlocks(first, second, { train: labelsOf(train), test: labelsOf(test ?? train) });
}

function labelsOf(images: string): string {
  return join(dirname(images), basename(images).replace(IMAGES, '$1labels$2idx1$3'));
}

async function readPair(path: string): Promise<Block> {
  const images = readIdx(await readUnpacked(path), path);
  const labels = readIdx(await readUnpacked(labelsOf(path)), labelsOf(path));
  const [count = 0, ...size] = images.shape;
  if (size.length !== 2 || size.includes(0)) {
    fail(
      'RV4002',
      `pictures have three dimensions that are not empty, these have [${images.shape.join(', ')}]`,
      {
        origin: path,
      },
    );
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== count) {
    fail('RV4002', `[${labels.shape.join(', ')}] labels for ${count} pictures`, { origin: labelsOf(path) });
  }
  return { kind: 'pixels', shape: [...size, 1], values: images.data, labels: Int32Array.from(labels.data) };
}

async function readUnpacked(path: string): Promise<Uint8Array> {
  const bytes = await readBytes(path, path);
  if (!path.endsWith('.gz')) return bytes;
  try {
    const unpacked = gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
    return new Uint8Array(unpacked.buffer, unpacked.byteOffset, unpacked.length);
  } catch (error) {
    return fail('RV4002', `it cannot be unpacked: ${(error as Error).message}`, { origin: path });
  }
}
