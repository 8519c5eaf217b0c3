/** Any format -> Graph. */
import type { Diagnostic } from '../core/diagnostics.ts';
import type { Graph } from '../ir/types.ts';
import { type BlocksFiles, importBlocks } from './int8-blocks.ts';
import { importTflite } from './tflite.ts';

/** A model as it is read: the bytes of a .tflite file, or those of a .json description and its .safetensors file. */
export type ModelBytes = Uint8Array | BlocksFiles;

/**
 * @param name the graph's name, e.g. the file name
 * @throws RivuletError with every problem found
 */
export function importModel(
  model: ModelBytes,
  name: string,
): { graph: Graph; warnings: readonly Diagnostic[] } {
  return model instanceof Uint8Array
    ? importTflite(model, name)
    : { graph: importBlocks(model, name), warnings: [] };
}
