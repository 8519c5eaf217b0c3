/** Any model file -> Graph. */
import type { Diagnostic } from '../core/diagnostics.ts';
import type { Graph } from '../ir/types.ts';
import { importBackbone, isBackbone } from './backbone.ts';
import { importTflite } from './tflite.ts';

/** A .tflite file, or a .json one of a backbone with the contents of its .safetensors file. */
export function importModel(
  bytes: Uint8Array,
  file: string,
  tensors?: Uint8Array,
): { graph: Graph; warnings: readonly Diagnostic[] } {
  return isBackbone(bytes)
    ? { graph: importBackbone(bytes, tensors, file), warnings: [] }
    : importTflite(bytes, file);
}
