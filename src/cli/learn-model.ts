/** What the commands of `rivulet learn` read alike. */
import { basename } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { fail } from '../core/diagnostics.ts';
import type { ModelInput } from '../data/inputs.ts';
import { importModel } from '../import/model.ts';
import { type Graph, requireValue } from '../ir/types.ts';
import { prepareForTraining } from '../learn/compile-training.ts';
import { parseScheme, type Scheme } from '../learn/scheme.ts';
import { contentHash } from '../run/cache.ts';
import { readBytes } from '../run/files.ts';
import { readModel } from './model.ts';

/** The network, ready to be trained, and a hash of its files. */
export async function readGraph(path: string): Promise<{ graph: Graph; identity: string }> {
  const model = await readModel(path);
  const { graph } = importModel(model, basename(path));
  const files = model instanceof Uint8Array ? [model] : [model.description, model.tensors];
  const identity = contentHash(files.map((file) => Buffer.from(file).toString('base64')));
  return { graph: prepareForTraining(graph), identity };
}

export async function readScheme(path: string): Promise<Scheme> {
  return parseScheme(new TextDecoder().decode(await readBytes(path, '--scheme')), path);
}

/** What pictures or numbers are turned into for a model that learns, and how pictures are read for it. */
export interface LearnerInput {
  readonly type: ModelInput & { readonly dtype: 'int8' };
  /** Options of `openData`: the size of pictures, if the model takes any. */
  readonly pictures: { readonly size: [number, number]; readonly channels: 1 | 3 } | undefined;
}

/** @throws RivuletError RV5002 for a model whose input is not int8 */
export function learnerInput(graph: Graph, origin: string): LearnerInput {
  const { shape, dtype, quantization } = requireValue(graph, graph.inputs[0]!);
  const scale = quantization?.scales[0];
  if (dtype !== 'int8' || scale === undefined) {
    return fail('RV5002', `the network takes ${dtype}, not int8 with a scale`, { origin });
  }
  const [, height, width, channels] = shape;
  const isPicture = shape.length === 4 && (channels === 1 || channels === 3);
  return {
    type: { shape, dtype, scale, zeroPoint: quantization!.zeroPoints[0]! },
    pictures: isPicture ? { size: [height!, width!], channels } : undefined,
  };
}

/** An option's value that is a number, not negative. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0) || !Number.isFinite(value))
    throw new InvalidArgumentError(`"${text}" is not a number.`);
  return value;
}
