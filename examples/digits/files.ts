/** The digits as files: IDX, which `rivulet search --data` reads, and a few of them as pictures. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { type Digit, type Digits, SIDE } from './data.ts';

/** How many held-out pictures of each digit are shipped. */
const PICTURES_PER_DIGIT = 2;

/** Writes `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and the same of `t10k-` for those that are held out. */
export function writeIdxFiles(folder: string, { training, heldOut }: Digits): void {
  mkdirSync(folder, { recursive: true });
  for (const [part, digits] of [
    ['train', training],
    ['t10k', heldOut],
  ] as const) {
    const pixels = Buffer.concat(digits.map((digit) => digit.pixels));
    const labels = Uint8Array.from(digits, ({ label }) => label);
    writeFileSync(join(folder, `${part}-images-idx3-ubyte`), idx([digits.length, SIDE, SIDE], pixels));
    writeFileSync(join(folder, `${part}-labels-idx1-ubyte`), idx([digits.length], labels));
  }
}

/** An IDX file of bytes: two zeros, 8 for unsigned bytes, how many sizes there are, the sizes (big-endian), the bytes. */
function idx(sizes: readonly number[], values: Uint8Array): Uint8Array {
  const header = 4 + 4 * sizes.length;
  const file = new Uint8Array(header + values.length);
  const view = new DataView(file.buffer);
  file.set([0, 0, 8, sizes.length]);
  for (const [i, size] of sizes.entries()) view.setUint32(4 + 4 * i, size);
  file.set(values, header);
  return file;
}

/** Writes the first digits of each label as `<label>-<n>.png`, n from 0. */
export async function writePictures(folder: string, digits: readonly Digit[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let label = 0; label < 10; label++) {
    const chosen = digits.filter((digit) => digit.label === label).slice(0, PICTURES_PER_DIGIT);
    for (const [n, { pixels }] of chosen.entries()) {
      const image = sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 1 } });
      await image
        .toColourspace('b-w')
        .png()
        .toFile(join(folder, `${label}-${n}.png`));
    }
  }
}
