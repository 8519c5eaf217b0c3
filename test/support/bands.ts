/** Pictures of 28 x 28 that take some learning to tell apart, as IDX files: of class c, a band in another place is a little brighter. */
import { writeFileSync } from 'node:fs';
import { createRandom } from '../../src/core/random.ts';

const SIDE = 28;

function idx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head[2] = 8;
  head[3] = shape.length;
  for (const [i, size] of shape.entries()) head.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([head, data]);
}

/** Writes train-images-idx3-ubyte and its labels into `folder`. */
export function writeBands(folder: string, classes: number, perClass: number): void {
  const random = createRandom(1);
  const count = classes * perClass;
  const pixels = new Uint8Array(count * SIDE * SIDE);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % classes);
  for (const [i, label] of labels.entries()) {
    for (let y = 0; y < SIDE; ++y) {
      const isBright = Math.abs(y - 4 - (20 * label) / classes) < 3;
      for (let x = 0; x < SIDE; ++x) pixels[(i * SIDE + y) * SIDE + x] = random() * 200 + (isBright ? 25 : 0);
    }
  }
  writeFileSync(`${folder}/train-images-idx3-ubyte`, idx([count, SIDE, SIDE], pixels));
  writeFileSync(`${folder}/train-labels-idx1-ubyte`, idx([count], labels));
}
