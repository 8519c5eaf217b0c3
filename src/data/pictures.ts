/** Data sets of pictures. */
import { readFileSync } from 'node:fs';
import { fail } from '../core/diagnostics.ts';
import { decodePicture } from '../run/picture.ts';
import type { DataSource } from './dataset.ts';
import { openDecoded } from './decoded.ts';
import { type FileKind, listClasses } from './file-list.ts';

export interface PictureSetOptions {
  /** Height and width that pictures are stretched to. Without it they must all have the same. */
  readonly size?: readonly [number, number];
  /** 3 (default): RGB; 1: luminance. */
  readonly channels?: 1 | 3;
  /** Called now and then while files are decoded. */
  readonly progress?: (done: number, total: number) => void;
}

const PICTURES: FileKind = { pattern: /\.(?:jpe?g|png)$/i, name: 'pictures (.jpg, .png)' };

/**
 * Opens a folder with a folder of .jpg or .png files for each class, or train/ and test/ above those. What cannot be read is
 * left out and named in the warnings.
 * @throws RivuletError RV1006, RV3004, RV3005, RV4001 to RV4005
 */
export async function openPictures(root: string, options: PictureSetOptions = {}): Promise<DataSource> {
  const { size, channels = 3, progress } = options;
  const list = listClasses(root, PICTURES);
  if (list.train.length + (list.test?.length ?? 0) === 0) {
    fail('RV4001', 'there are no pictures in it', {
      origin: root,
      hint: 'a data set is CLASS/NAME.jpg or .png, or that below train/ and test/; sounds (.wav) need a front-end',
    });
  }
  return openDecoded(root, list, {
    name: 'pictures',
    key: ['pictures', JSON.stringify([size ?? 'own', channels])],
    kind: 'pixels',
    decode: async (path) => {
      // Small files are read faster at once than through a thread and back.
      const picture = await decodePicture(readFileSync(path), channels, path, size);
      return { shape: [picture.height, picture.width, channels], bytes: picture.pixels };
    },
    values: (bytes) => bytes,
    shapeHint: 'say to which height and width pictures are stretched',
    ...(progress && { progress }),
  });
}
