/** What the trained part of a network reads of every sample, computed once and kept in the cache. */
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Split } from '../data/dataset.ts';
import { cachedFolder } from '../run/cache.ts';
import type { Features } from '../run/rehearsal.ts';

export interface FeatureSet {
  readonly count: number;
  /** Samples that could not be read. */
  readonly skipped: number;
  label(i: number): number;
  features(i: number): Features;
}

/** Written beside the features: the class of every sample that could be read, and how many could not. */
interface Index {
  readonly labels: readonly number[];
  readonly sizes: readonly number[];
  readonly skipped: number;
}

/**
 * @param key everything that decides about the features: model, scheme, data
 * @param compute features of one image, from pixels
 * @param tell how many of all samples are done
 */
export async function featuresOf(
  split: Split,
  key: string,
  compute: (pixels: Uint8Array) => Features,
  tell: (done: number, all: number) => void,
): Promise<FeatureSet> {
  const folder = await cachedFolder(`features-${key}`, async (scratch) => {
    const file = await open(join(scratch, 'features.bin'), 'w');
    const labels: number[] = [];
    let sizes: readonly number[] = [];
    let skipped = 0;
    try {
      for (let i = 0; i < split.count; ++i) {
        const pixels = await split.pixels(i);
        if (pixels === null) ++skipped;
        else {
          const features = compute(pixels);
          sizes = features.map(({ length }) => length);
          labels.push(split.label(i));
          await file.write(Buffer.concat(features));
        }
        if (i % 200 === 199 || i === split.count - 1) tell(i + 1, split.count);
      }
    } finally {
      await file.close();
    }
    const index: Index = { labels, sizes, skipped };
    await writeFile(join(scratch, 'index.json'), JSON.stringify(index));
  });
  const { labels, sizes, skipped } = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as Index;
  const bytes = new Uint8Array(await readFile(join(folder, 'features.bin')));
  const sampleBytes = sizes.reduce((sum, size) => sum + size, 0);
  return {
    count: labels.length,
    skipped,
    label: (i) => labels[i]!,
    features: (i) => {
      let at = i * sampleBytes;
      return sizes.map((size) => bytes.subarray(at, (at += size)));
    },
  };
}
