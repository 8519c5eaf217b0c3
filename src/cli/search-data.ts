/** What the commands of a search have in common: data that fit a space, efforts, spaces, hosts, progress. */
import { basename } from 'node:path';
import { fail } from '../core/diagnostics.ts';
import type { DataSource } from '../data/dataset.ts';
import { openData } from '../data/open.ts';
import { findSpace, type Space } from '../nas/space.ts';
import { parseSpace } from '../nas/space-json.ts';
import { readBytes } from '../run/files.ts';
import { EFFORTS, type Effort, isEffort, parseEffort } from '../search/efforts.ts';
import type { EpochResult } from '../train/checkpoint.ts';
import type { Progress } from '../train/trainer.ts';
import { dataProgress } from './data.ts';
import { count, minutes, percent, seldom } from './output.ts';

export const DATA_HELP =
  'pictures in a folder for each class (train/ and test/ above them), IDX, .npy or CSV files';
export const EFFORT_HELP =
  'small (minutes), standard (hours), full (days), or a .json file, see docs/search.md';

const JSON_FILE = /\.json$/i;

/** A space by name or from a .json file. */
export async function readSpace(nameOrFile: string): Promise<Space> {
  return JSON_FILE.test(nameOrFile)
    ? parseSpace(await readBytes(nameOrFile, '--space'), basename(nameOrFile))
    : findSpace(nameOrFile);
}

export async function readEffort(nameOrFile: string): Promise<Effort> {
  if (JSON_FILE.test(nameOrFile)) {
    return parseEffort(await readBytes(nameOrFile, '--effort'), basename(nameOrFile));
  }
  if (isEffort(nameOrFile)) return EFFORTS[nameOrFile];
  return fail('RV3001', `"${nameOrFile}" is no effort`, {
    origin: '--effort',
    hint: `one of ${Object.keys(EFFORTS).join(', ')}, or a .json file`,
  });
}

/** Opens data for pictures of this side; without one they keep the size that they have. */
export function openSearchData(
  path: string,
  { side, channels, tell }: { side?: number; channels: number | undefined; tell: (text: string) => void },
): Promise<DataSource> {
  return openData(path, {
    ...(side !== undefined && { size: [side, side] }),
    ...((channels === 1 || channels === 3) && { channels }),
    progress: dataProgress(tell),
  });
}

/** Tells epochs, and now and then how far a training is. */
export function trainingProgress(tell: (text: string) => void) {
  const now = seldom(tell);
  return {
    epoch: (name: string, epochs: number, { epoch, loss, heldOutAccuracy, seconds }: EpochResult): void => {
      const heldOut = heldOutAccuracy === null ? '' : `, held out ${percent(heldOutAccuracy)}`;
      tell(
        `${name}, epoch ${epoch} of ${epochs}: loss ${loss.toFixed(4)}${heldOut}, ${seconds.toFixed(1)} s`,
      );
    },
    steps: ({ step, steps, loss, imagesPerSecond, secondsLeft }: Progress): void =>
      now(
        () =>
          `step ${count(step)} of ${count(steps)}: loss ${loss.toFixed(3)}, ${count(imagesPerSecond)} items/s, ${minutes(secondsLeft)} left`,
      ),
  };
}
