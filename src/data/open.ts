/** A data set from a path: what it is, is seen from what lies there. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fail } from '../core/diagnostics.ts';
import { isItemsArray, openArrays } from './arrays.ts';
import { openCsv } from './csv.ts';
import type { DataSource } from './dataset.ts';
import { isIdxImages, openIdxFile, openIdxFolder } from './idx.ts';
import { openPictures, type PictureSetOptions } from './pictures.ts';
import { openSounds, type SoundSetOptions } from './sounds.ts';

export interface DataOptions extends PictureSetOptions {
  /** The data are sounds: what becomes of them, and what their names say. */
  readonly sounds?: Omit<SoundSetOptions, 'progress'>;
  /** Of tables: the column of the labels, its name or its position from 0. Default 0. */
  readonly label?: string | number;
}

const KINDS =
  'a folder CLASS/NAME.jpg or .png, or that below train/ and test/; a folder of IDX files (train-images-idx3-ubyte ...); x.npy with y.npy, or x_train.npy, x_test.npy ...; a .csv file, or train.csv and test.csv; with a front-end, a folder of .wav files';

/**
 * Opens the data set at `path`.
 * @throws RivuletError RV1006 if a file cannot be read, RV3002 for a damaged .npy file, RV4001 to RV4005 for what is wrong
 * with the data
 */
export async function openData(path: string, options: DataOptions = {}): Promise<DataSource> {
  const status = await stat(path).catch((error: NodeJS.ErrnoException) =>
    fail('RV1006', error.code === 'ENOENT' ? `there is no "${path}"` : error.message, { origin: path }),
  );
  const { sounds, progress } = options;
  if (sounds !== undefined) return openSounds(path, { ...sounds, ...(progress && { progress }) });
  return status.isDirectory() ? openFolder(path, options) : openFile(path, options);
}

function openFile(path: string, { label }: DataOptions): Promise<DataSource> {
  const name = basename(path);
  if (/\.csv$/i.test(name)) return openCsv(path, undefined, label);
  if (isItemsArray(name)) return openArrays(path, undefined);
  if (isIdxImages(name)) return openIdxFile(path);
  return fail('RV4001', 'this kind of data is not known', { origin: path, hint: KINDS });
}

async function openFolder(path: string, options: DataOptions): Promise<DataSource> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: Error) =>
    fail('RV1006', `it cannot be listed: ${error.message}`, { origin: path }),
  );
  const names = entries.map(({ name }) => name).sort();
  const beside = (name: string | undefined) => name && join(path, name);
  const named = (pattern: RegExp) => names.find((name) => pattern.test(name));
  if (names.some(isIdxImages)) return openIdxFolder(path, names);
  const items = named(/^x(?:_train)?\.npy$/i);
  if (items !== undefined) return openArrays(join(path, items), beside(named(/^x_test\.npy$/i)));
  const table = named(/^train\.csv$/i);
  if (table !== undefined) return openCsv(join(path, table), beside(named(/^test\.csv$/i)), options.label);
  if (entries.some((entry) => entry.isDirectory() || entry.isSymbolicLink()))
    return openPictures(path, options);
  return fail('RV4001', names.length === 0 ? 'the folder is empty' : 'the folder holds no data set', {
    origin: path,
    hint: KINDS,
  });
}
