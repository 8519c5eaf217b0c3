/** NumPy arrays: train_x.npy [count, height, width(, channels)] of bytes, train_y.npy [count]; test_x.npy, test_y.npy. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../core/diagnostics.ts';
import { readNpy } from '../run/npy.ts';
import { numberedClasses, splitOf } from './arrays.ts';
import type { FoundSet, ImageSize, Split } from './dataset.ts';

/** @throws RivuletError RV4002 with the file that is wrong */
export async function readNpySet(
  folder: string,
  names: readonly string[],
  size: ImageSize,
): Promise<FoundSet | null> {
  const read = async (part: string): Promise<[Split, number[]] | null> => {
    if (!names.includes(`${part}_x.npy`) || !names.includes(`${part}_y.npy`)) return null;
    const [x, y] = await Promise.all(
      [`${part}_x.npy`, `${part}_y.npy`].map(async (name) =>
        readNpy(await readFile(join(folder, name)), join(folder, name)),
      ),
    );
    const [count = 0, height = 0, width = 0, channels = 1] = x!.shape;
    if (x!.dtype !== 'uint8' || x!.shape.length < 3 || x!.shape.length > 4 || y!.data.length !== count) {
      fail('RV4002', `images ${x!.dtype} [${x!.shape}] with ${y!.data.length} labels`, {
        origin: join(folder, `${part}_x.npy`),
        hint: 'uint8 [count, height, width] or [count, height, width, channels], and as many labels',
      });
    }
    const labels = Array.from(y!.data as ArrayLike<number | bigint>, Number);
    const bad = labels.findIndex((label) => !Number.isInteger(label) || label < 0 || label > 65535);
    if (bad >= 0) fail('RV4002', `label ${bad} is ${labels[bad]}`, { origin: join(folder, `${part}_y.npy`) });
    return [splitOf(x!.data as Uint8Array, [height, width, channels], labels, size), labels];
  };
  const train = await read('train');
  if (train === null) return null;
  const test = await read('test');
  return {
    classes: numberedClasses(train[1]),
    train: train[0],
    test: test && test[0],
    identity: JSON.stringify([folder, 'npy', train[0].count, test?.[0].count ?? 0]),
  };
}
