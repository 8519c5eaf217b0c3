/** Labelled data for learning: folders of pictures, IDX files as MNIST has them, NumPy arrays, CSV. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../core/diagnostics.ts';
import { createRandom } from '../core/random.ts';
import { readCsvSet } from './csv.ts';
import { readIdxSet } from './idx.ts';
import { readNpySet } from './npy-set.ts';
import { decodePicture, listPictures } from './pictures.ts';

/** Height, width and channels that a network takes. */
export type ImageSize = readonly [height: number, width: number, channels: number];

/** Part of a data set. */
export interface Split {
  readonly count: number;
  /** Class of sample i. */
  label(i: number): number;
  /** Pixels of sample i, 0 to 255, [height, width, channels]; null: unreadable, which is counted and told. */
  pixels(i: number): Promise<Uint8Array | null>;
}

export interface Dataset {
  readonly classes: readonly string[];
  readonly train: Split;
  readonly test: Split;
  /** What identifies it, for caches: names and sizes of its files. */
  readonly identity: string;
}

/** Share of the samples that is held out where the data do not say what the test is. */
const HELD_OUT = 0.2;

/**
 * Opens the data in a folder: `train/` and `test/` with a folder of pictures for each class, or such folders at once;
 * train-images-idx3-ubyte and its kin, .gz too; train_x.npy, train_y.npy, test_x.npy, test_y.npy; train.csv and test.csv,
 * whose first column is the class. Without a test a fifth is held out, drawn with `seed`.
 * @throws RivuletError RV4001 (no data set is recognised), RV4002 (it is not fit for training), with the file at fault
 */
export async function openDataset(folder: string, size: ImageSize, seed = 1): Promise<Dataset> {
  const names = await readdir(folder).catch(() =>
    fail('RV4001', `there is no folder "${folder}"`, { origin: '--data' }),
  );
  const found =
    (await pictureSet(folder, names, size)) ??
    (await readIdxSet(folder, names, size)) ??
    (await readNpySet(folder, names, size)) ??
    (await readCsvSet(folder, names, size));
  if (found === null) {
    return fail('RV4001', `"${folder}" holds no data set`, {
      origin: '--data',
      hint: 'a folder of pictures for each class, IDX files, train_x.npy and train_y.npy, or train.csv',
    });
  }
  const { classes, train, test, identity } = found;
  if (classes.length < 2) {
    fail('RV4002', `there is ${classes.length === 1 ? `only the class "${classes[0]}"` : 'no class'}`, {
      origin: folder,
    });
  }
  if (train.count === 0) fail('RV4002', 'there is nothing to train with', { origin: folder });
  if (test !== null) return { classes, train, test, identity };
  const order = shuffled(train.count, seed);
  const held = Math.max(1, Math.floor(train.count * HELD_OUT));
  return {
    classes,
    train: pick(train, order.subarray(held)),
    test: pick(train, order.subarray(0, held)),
    identity: `${identity} seed ${seed}`,
  };
}

/** What a reader finds; test: null if the data do not say. */
export interface FoundSet {
  readonly classes: readonly string[];
  readonly train: Split;
  readonly test: Split | null;
  readonly identity: string;
}

/** Samples of `split` in another order. */
export function pick(split: Split, indices: Uint32Array): Split {
  return {
    count: indices.length,
    label: (i) => split.label(indices[i]!),
    pixels: (i) => split.pixels(indices[i]!),
  };
}

/** 0 to count - 1 in random order. */
export function shuffled(count: number, seed: number): Uint32Array {
  const random = createRandom(seed);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; --i) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

async function pictureSet(
  folder: string,
  names: readonly string[],
  size: ImageSize,
): Promise<FoundSet | null> {
  const isDivided = names.includes('train');
  const isFolder = async (path: string): Promise<boolean> => (await stat(path)).isDirectory();
  const root = isDivided ? join(folder, 'train') : folder;
  if (isDivided && !(await isFolder(root))) return null;
  const train = await listPictures(root, null);
  if (train === null) return null;
  const test =
    isDivided && names.includes('test') ? await listPictures(join(folder, 'test'), train.classes) : null;
  const split = ({ paths, labels }: NonNullable<typeof train>): Split => ({
    count: paths.length,
    label: (i) => labels[i]!,
    pixels: async (i) => decodePicture(await readFile(paths[i]!), size, paths[i]!),
  });
  return {
    classes: train.classes,
    train: split(train),
    test: test && split(test),
    identity: JSON.stringify([folder, train.paths.length, test?.paths.length ?? 0, train.classes]),
  };
}
