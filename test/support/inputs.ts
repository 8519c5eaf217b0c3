import { allocate, asBytes, DTYPES } from '../../src/core/dtype.ts';
import { createRandom, patternBytes } from '../../src/core/random.ts';
import { elementCount, type Graph, requireValue } from '../../src/ir/types.ts';

/** Seeded raw bytes for every input of a graph: the golden pattern for integers, values around zero for floats. */
export function inputsFor(graph: Graph, seed: number): Uint8Array[] {
  return graph.inputs.map((id, i) => {
    const { shape, dtype } = requireValue(graph, id);
    const count = elementCount(shape);
    if (dtype !== 'float32') return asBytes(patternBytes(count * DTYPES[dtype].bytes, seed + 1000 * i));
    const random = createRandom(seed + i);
    const data = allocate('float32', count);
    for (let j = 0; j < count; ++j) data[j] = (random() - 0.5) * 12;
    return asBytes(data);
  });
}
