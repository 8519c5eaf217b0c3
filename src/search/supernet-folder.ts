/** A trained supernet in a folder: `space.json`, `weights.safetensors`, and `supernet.json`, which says how it was made. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../core/diagnostics.ts';
import { parseJsonObject } from '../formats/json.ts';
import { largestGenome } from '../nas/genome.ts';
import type { Space } from '../nas/space.ts';
import { parseSpace } from '../nas/space-json.ts';
import { contentHash } from '../run/cache.ts';
import type { HostName } from '../run/engine/host.ts';
import { readBytes } from '../run/files.ts';
import { networkOfGenome, type SupernetPlan, type TrainedSupernet } from '../supernet/train.ts';
import { type NetworkDescription, networkOf } from '../train/blocks.ts';
import type { States } from '../train/evaluation.ts';
import { allStates, writeStates } from '../train/trained.ts';

/** Which items the weights have seen, so that a search can judge by others. */
export interface SupernetData {
  /** Its last name. */
  readonly folder: string;
  readonly classes: readonly string[];
  /** Items for training that were taken of the data, by the seed of the plan; null: all. */
  readonly items: number | null;
  /** Of the labels in their order: other data would hold out other items. */
  readonly labels: string;
}

export interface SupernetRecord {
  readonly command: string;
  readonly version: string;
  readonly date: string;
  /** Of space, plan, data and host: with the same the weights are the same. */
  readonly identity: string;
  readonly plan: SupernetPlan;
  readonly host: HostName;
  readonly data: SupernetData;
  readonly epochs: TrainedSupernet['epochs'];
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export interface SupernetFolder {
  readonly space: Space;
  /** What the weights are of. */
  readonly largest: NetworkDescription;
  readonly record: SupernetRecord;
  /** As they lie in the file. */
  readonly weights: Uint8Array;
  readonly states: States;
}

const FILES = { space: 'space.json', weights: 'weights.safetensors', record: 'supernet.json' } as const;

/** @returns the paths. @throws RivuletError RV3005 */
export async function writeSupernet(
  folder: string,
  space: Space,
  { largest, states }: TrainedSupernet,
  record: SupernetRecord,
): Promise<string[]> {
  const graph = networkOf(largest, { batch: 1, mode: 'run', seed: null });
  const files: [string, string | Uint8Array][] = [
    [FILES.space, `${JSON.stringify(space, null, 2)}\n`],
    [FILES.weights, writeStates(graph, states)],
    [FILES.record, `${JSON.stringify(record, null, 2)}\n`],
  ];
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, content] of files) await writeFile(join(folder, name), content);
  } catch (error) {
    fail('RV3005', (error as Error).message, { origin: folder });
  }
  return files.map(([name]) => join(folder, name));
}

/** @throws RivuletError RV1006 where a file is missing, RV6004, RV6005 or RV5004 where one is not what it should be */
export async function readSupernet(folder: string): Promise<SupernetFolder> {
  const read = (name: string): Promise<Uint8Array> => readBytes(join(folder, name), '--supernet');
  const [space, weights, record] = await Promise.all(Object.values(FILES).map(read));
  const path = join(folder, FILES.record);
  const json = parseJsonObject(record!, { code: 'RV6004', maxBytes: 1 << 24 }, path);
  // What this reads of it; the file is Rivulet's own.
  json.object('plan').object('shared').number('heldOut');
  json.object('data').text('labels');
  const parsed = parseSpace(space!, join(folder, FILES.space));
  return {
    space: parsed,
    largest: networkOfGenome(parsed, largestGenome(parsed)),
    record: JSON.parse(new TextDecoder().decode(record)) as SupernetRecord,
    weights: weights!,
    states: allStates(weights!, join(folder, FILES.weights)),
  };
}

/** See `SupernetData.labels`. */
export function labelsHash(labels: Int32Array): string {
  return contentHash([labels.join()]);
}
