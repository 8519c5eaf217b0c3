/** From data and a space to a supernet in a folder; what is there already is not made again. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import { sample } from '../data/split.ts';
import type { Space } from '../nas/space.ts';
import { contentHash } from '../run/cache.ts';
import type { EngineHost } from '../run/engine/engine.ts';
import type { HostName } from '../run/engine/host.ts';
import { type SupernetOptions, type SupernetPlan, trainSupernet } from '../supernet/train.ts';
import { VERSION } from '../version.ts';
import { labelsHash, readSupernet, type SupernetFolder, writeSupernet } from './supernet-folder.ts';

/** Items for training, and what they are called. */
export interface NamedData {
  readonly name: string;
  readonly train: Dataset;
}

export interface MakeSupernet {
  readonly folder: string;
  readonly space: Space;
  readonly data: NamedData;
  readonly items: number | null;
  readonly plan: SupernetPlan;
  readonly host: EngineHost;
  readonly hostName: HostName;
  /** To be kept with it. */
  readonly command: string;
  readonly progress: Pick<SupernetOptions, 'onEpoch' | 'onProgress' | 'signal'>;
}

/** The items that a supernet takes of the data, in an order that depends on the seed alone. */
export function supernetItems({ train }: NamedData, items: number | null, seed: number): Dataset {
  return items === null || items >= train.length ? train : sample(train, items, seed);
}

/**
 * @returns the supernet as it lies in the folder
 * @throws RivuletError RV5003 if the folder holds checkpoints of another training; as `trainSupernet`
 */
export async function makeSupernet(make: MakeSupernet): Promise<SupernetFolder> {
  const { folder, space, data, items, plan, host, hostName, command, progress } = make;
  const dataset = supernetItems(data, items, plan.shared.seed);
  const labels = labelsHash(dataset.labels);
  const identity = contentHash(
    ['supernet', space, plan, items, hostName, VERSION, data.name, labels].map((part) =>
      JSON.stringify(part),
    ),
  );
  if (await exists(join(folder, 'supernet.json'))) {
    const made = await readSupernet(folder);
    if (made.record.identity === identity) return made;
  }
  const trained = await trainSupernet(space, dataset, plan, {
    host,
    ...progress,
    checkpoint: { path: join(folder, 'checkpoint'), identity },
  });
  const epochs = [...trained.epochs.largest, ...trained.epochs.shared];
  await writeSupernet(folder, space, trained, {
    command,
    version: VERSION,
    date: new Date().toISOString().slice(0, 10),
    identity,
    plan,
    host: hostName,
    data: { folder: data.name, classes: dataset.classes, items, labels },
    epochs: trained.epochs,
    seconds: epochs.reduce((sum, { seconds }) => sum + seconds, 0),
    cpuSeconds: epochs.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  });
  return readSupernet(folder);
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
