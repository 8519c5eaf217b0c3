/** What the verbs of `rivulet learn` share: the network and the scheme. */
import { basename } from 'node:path';
import { importModel } from '../import/model.ts';
import type { Graph } from '../ir/types.ts';
import { prepareForTraining } from '../learn/compile-training.ts';
import { parseScheme, type Scheme } from '../learn/scheme.ts';
import { contentHash } from '../run/cache.ts';
import { readBytes } from '../run/files.ts';
import { readModel } from './model.ts';

/** The network, ready to be trained, and a name for its bytes. */
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
