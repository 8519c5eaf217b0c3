/** Where a training stands, in a file that is always whole: whoever is killed goes on from the last epoch. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail } from '../core/diagnostics.ts';
import { asBytes } from '../core/dtype.ts';
import { readSafetensors } from '../formats/safetensors/reader.ts';
import { writeSafetensors } from '../formats/safetensors/writer.ts';
import type { States } from './evaluation.ts';

/** What an epoch brought. */
export interface EpochResult {
  /** From 1. */
  readonly epoch: number;
  /** Mean loss of its batches, with augmentation and smoothing. */
  readonly loss: number;
  /** On what is held out, by the averaged parameters; null where nothing is. */
  readonly heldOutAccuracy: number | null;
  readonly seconds: number;
  /** Of this process on a processor: what an epoch costs where other programs run too. */
  readonly cpuSeconds: number;
}

export interface Checkpoint {
  /** Of everything that the result depends on: a checkpoint of another training is refused. */
  readonly identity: string;
  readonly epochs: readonly EpochResult[];
  readonly states: States;
  /** Averaged parameters; empty where the recipe averages nothing. */
  readonly average: States;
}

const AVERAGE = 'average:';

/** Written beside its place first, then moved there at once. @throws RivuletError RV3005 */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { identity, epochs, states, average } = checkpoint;
  const named = [...states, ...[...average].map(([name, values]) => [AVERAGE + name, values] as const)];
  const bytes = writeSafetensors({
    tensors: new Map(named.map(([name, values]) => [name, tensorOf(values)])),
    metadata: new Map([
      ['identity', identity],
      ['epochs', JSON.stringify(epochs)],
    ]),
  });
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.new`, bytes);
    await rename(`${path}.new`, path);
  } catch (error) {
    fail('RV3005', (error as Error).message, { origin: path });
  }
}

/**
 * The checkpoint at `path`, or undefined where there is none.
 * @throws RivuletError RV5003 if it belongs to another training; RV1002, RV1003, RV1007 if it is damaged
 */
export async function readCheckpoint(path: string, identity: string): Promise<Checkpoint | undefined> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    return fail('RV1006', error.message, { origin: path });
  });
  if (bytes === undefined) return undefined;
  const { tensors, metadata } = readSafetensors(new Uint8Array(bytes), path);
  if (metadata.get('identity') !== identity) {
    fail('RV5003', 'the checkpoint belongs to another network, recipe, data set or version', {
      origin: path,
      hint: 'remove it, or name another file',
    });
  }
  const [states, average] = [new Map<string, Float32Array>(), new Map<string, Float32Array>()];
  for (const [name, tensor] of tensors) {
    const values = new Float32Array(Uint8Array.from(tensor.bytes).buffer);
    if (name.startsWith(AVERAGE)) average.set(name.slice(AVERAGE.length), values);
    else states.set(name, values);
  }
  const epochs = JSON.parse(metadata.get('epochs') ?? '[]') as EpochResult[];
  return { identity, epochs, states, average };
}

/** Shapes are the network's business. */
function tensorOf(values: Float32Array) {
  return { dtype: 'F32', shape: [values.length], bytes: asBytes(values) } as const;
}
