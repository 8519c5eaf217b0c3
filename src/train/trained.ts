/** A trained float32 network in two files: its description, NAME.json, and its states, NAME.safetensors. */
import { fail } from '../core/diagnostics.ts';
import { asBytes } from '../core/dtype.ts';
import { readSafetensors } from '../formats/safetensors/reader.ts';
import { writeSafetensors } from '../formats/safetensors/writer.ts';
import type { Graph } from '../ir/types.ts';
import { type NetworkDescription, networkOf } from './blocks.ts';
import type { States } from './evaluation.ts';

/** The states of `graph` (parameters and moments) with their shapes, as a safetensors file. */
export function writeStates(graph: Graph, states: States): Uint8Array {
  const tensors = [...graph.values.values()].flatMap(({ name, role, shape }) => {
    const values = states.get(name);
    if (role !== 'state' || values === undefined) return [];
    return [[name, { dtype: 'F32', shape, bytes: asBytes(values) }]] as const;
  });
  return writeSafetensors({ tensors: new Map(tensors), metadata: new Map() });
}

/**
 * The states that the described network has.
 * @throws RivuletError RV5004 if one is missing or has another shape; RV1002, RV1003, RV1007 if the file is damaged
 */
export function readStates(description: NetworkDescription, bytes: Uint8Array, file: string): States {
  const { tensors } = readSafetensors(bytes, file);
  const graph = networkOf(description, { batch: 1, mode: 'run' });
  const states = new Map<string, Float32Array>();
  for (const { name, role, shape } of graph.values.values()) {
    if (role !== 'state') continue;
    const tensor = tensors.get(name);
    if (tensor?.dtype !== 'F32' || tensor.shape.join() !== shape.join()) {
      fail('RV5004', `"${name}" is not there as F32 [${shape}]`, { origin: file });
    }
    states.set(name, new Float32Array(Uint8Array.from(tensor.bytes).buffer));
  }
  return states;
}

/**
 * All states that a file holds, whatever network they are of.
 * @throws RivuletError RV5004 if one is not F32; RV1002, RV1003, RV1007 if the file is damaged
 */
export function allStates(bytes: Uint8Array, file: string): States {
  const { tensors } = readSafetensors(bytes, file);
  return new Map(
    [...tensors].map(([name, tensor]) => {
      if (tensor.dtype !== 'F32') fail('RV5004', `"${name}" is ${tensor.dtype}, not F32`, { origin: file });
      return [name, new Float32Array(Uint8Array.from(tensor.bytes).buffer)];
    }),
  );
}
