/** What the trained part of a network reads of every item, computed once and kept in the cache. */
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset, Item } from '../data/dataset.ts';
import { cachedFolder } from '../run/cache.ts';
import type { Features } from '../run/rehearsal.ts';

export interface FeatureSet {
  readonly count: number;
  label(i: number): number;
  features(i: number): Features;
}

export interface KeptFeatures extends FeatureSet {
  /** As it was given: everything that decides about them. */
  readonly key: string;
}

/** Items between two reports of progress. */
const REPORT_EVERY = 500;

/**
 * @param key everything that decides about the features: model, scheme, data
 * @param compute features of one item, from its values
 * @param tell how many of all items are done
 */
export async function featuresOf(
  dataset: Dataset,
  key: string,
  compute: (values: Item['values']) => Features,
  tell: (done: number, all: number) => void,
): Promise<KeptFeatures> {
  const { length, labels } = dataset;
  const folder = await cachedFolder(`features-${key}`, async (scratch) => {
    const file = await open(join(scratch, 'features.bin'), 'w');
    let sizes: readonly number[] = [];
    try {
      for (let i = 0; i < length; ++i) {
        const features = compute(dataset.item(i).values);
        sizes = features.map((feature) => feature.length);
        await file.write(Buffer.concat(features));
        if ((i + 1) % REPORT_EVERY === 0) tell(i + 1, length);
      }
    } finally {
      await file.close();
    }
    await writeFile(join(scratch, 'sizes.json'), JSON.stringify(sizes));
  });
  const sizes = JSON.parse(await readFile(join(folder, 'sizes.json'), 'utf8')) as number[];
  const bytes = new Uint8Array(await readFile(join(folder, 'features.bin')));
  const itemBytes = sizes.reduce((sum, size) => sum + size, 0);
  return {
    key,
    count: length,
    label: (i) => labels[i]!,
    features: (i) => {
      let end = i * itemBytes;
      return sizes.map((size) => {
        end += size;
        return bytes.subarray(end - size, end);
      });
    },
  };
}
