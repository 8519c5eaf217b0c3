import { createRandom } from '../../src/core/random.ts';
import { type Dataset, datasetOf } from '../../src/data/dataset.ts';

/** Height, width and channels of the pictures. */
export const BARS = [8, 8, 1] as const;

/** Bars that lie or stand, in noise. */
export function bars(count: number, seed: number): Dataset {
  const random = createRandom(seed);
  const values = new Uint8Array(count * 64);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; ++i) {
    labels[i] = i % 2;
    const place = 1 + Math.floor(random() * 6);
    for (let p = 0; p < 64; ++p) {
      const line = i % 2 === 0 ? p >> 3 : p & 7;
      values[i * 64 + p] = 100 * random() + (line === place ? 120 : 0);
    }
  }
  return datasetOf({ kind: 'pixels', shape: BARS, values, labels }, ['lying', 'standing']);
}
