/** IDX files, as MNIST and Fashion-MNIST come in: magic, sizes as big-endian words, bytes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fail } from '../core/diagnostics.ts';
import { numberedClasses, splitOf } from './arrays.ts';
import type { FoundSet, ImageSize, Split } from './dataset.ts';

const FILES = {
  train: ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'],
  test: ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'],
} as const;

interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** @throws RivuletError RV4002 with the file that is wrong */
export async function readIdxSet(
  folder: string,
  names: readonly string[],
  size: ImageSize,
): Promise<FoundSet | null> {
  const nameOf = (file: string): string | undefined =>
    names.find((name) => name === file || name === `${file}.gz`);
  const read = async (files: readonly [string, string]): Promise<[Split, Uint8Array] | null> => {
    const [images, labels] = files.map(nameOf);
    if (images === undefined || labels === undefined) return null;
    const [x, y] = [await readIdx(join(folder, images)), await readIdx(join(folder, labels))];
    if (x.shape.length !== 3 || y.shape.length !== 1 || x.shape[0] !== y.shape[0]) {
      fail('RV4002', `images [${x.shape}] and labels [${y.shape}] do not belong together`, {
        origin: folder,
      });
    }
    return [splitOf(x.data, [x.shape[1]!, x.shape[2]!, 1], y.data, size), y.data];
  };
  const train = await read(FILES.train);
  if (train === null) return null;
  const test = await read(FILES.test);
  return {
    classes: numberedClasses(train[1]),
    train: train[0],
    test: test && test[0],
    identity: JSON.stringify([folder, 'idx', train[0].count, test?.[0].count ?? 0]),
  };
}

async function readIdx(path: string): Promise<IdxArray> {
  const wrong = (message: string): never => fail('RV4002', message, { origin: path });
  const file = await readFile(path);
  const bytes = new Uint8Array(path.endsWith('.gz') ? gunzip(file, wrong) : file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0 || bytes[2] !== 8)
    return wrong('it is not an IDX file of bytes');
  const rank = bytes[3]!;
  if (rank < 1 || rank > 4 || bytes.length < 4 + 4 * rank) return wrong('it is cut off');
  const shape = Array.from({ length: rank }, (_, d) => view.getUint32(4 + 4 * d));
  const data = bytes.subarray(4 + 4 * rank);
  const wanted = shape.reduce((product, n) => product * n, 1);
  if (data.length !== wanted) wrong(`[${shape}] takes ${wanted} bytes, there are ${data.length}`);
  return { shape, data };
}

function gunzip(file: Uint8Array, wrong: (message: string) => never): Uint8Array {
  try {
    return gunzipSync(file);
  } catch (error) {
    return wrong(`it cannot be unpacked: ${(error as Error).message}`);
  }
}
