/** Any format -> Graph. */
import type { Diagnostic } from '../core/diagnostics.ts';
import type { Graph } from '../ir/types.ts';
import type { Numbers } from '../ops/verify.ts';
import { type BlocksFiles, importBlocks } from './int8-blocks.ts';
import { importOnnx } from './onnx.ts';
import { importTflite } from './tflite.ts';

/** A model as it is read: the bytes of a .tflite or .onnx file, or those of a .json description and its .safetensors file. */
export type ModelBytes = Uint8Array | BlocksFiles;

/**
 * @param name the graph's name: the file name, whose end tells an .onnx file
 * @param numbers float: models that are not quantised are welcome too
 * @throws RivuletError with every problem found
 */
export function importModel(
  model: ModelBytes,
  name: string,
  numbers: Numbers = 'quantized',
): { graph: Graph; warnings: readonly Diagnostic[] } {
  if (!(model instanceof Uint8Array)) return { graph: importBlocks(model, name), warnings: [] };
  if (isOnnx(name)) return { graph: importOnnx(model, name, numbers), warnings: [] };
  return importTflite(model, name, numbers);
}

/** By the end of the file's name. */
export function isOnnx(name: string): boolean {
  return /\.onnx$/i.test(name);
}
