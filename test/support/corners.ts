import { DTYPES } from '../../src/core/dtype.ts';
import { elementCount, type Graph, requireValue } from '../../src/ir/types.ts';
import { inputsFor } from './inputs.ts';

/** Inputs for a graph: two patterns, and the corners of the input space: all lowest, all highest, all zero bytes. */
export function samplesOf(graph: Graph): Uint8Array[][] {
  const corners = [0x80, 0x7f, 0].map((byte) =>
    graph.inputs.map((id) => {
      const { shape, dtype } = requireValue(graph, id);
      return new Uint8Array(elementCount(shape) * DTYPES[dtype].bytes).fill(byte);
    }),
  );
  return [inputsFor(graph, 1), inputsFor(graph, 2), ...corners];
}
