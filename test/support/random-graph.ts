/**
 * Random valid int8 graphs for equivalence tests. Everything follows from the seed, and a graph of n layers begins with
 * the layers of the graph of n - 1, so a failure shrinks by trying smaller counts of the same seed.
 */
import { createRandom } from '../../src/core/random.ts';
import type { Graph, Shape, ValueId } from '../../src/ir/types.ts';
import { LAYERS } from './random-layers.ts';
import { RandomSketch } from './random-sketch.ts';

/**
 * A graph of `layers` random layers (a layer is one to four nodes), one or two inputs and one to four outputs, of which
 * some are also used inside. No output is computed from constants alone.
 * @param input the shape of the only input; without it, they are random
 */
export function randomGraph(seed: number, layers: number, input?: Shape): Graph {
  const sketch = new RandomSketch(seed, input);
  for (let made = 0, tries = 0; made < layers && tries < 50 * layers; ++tries) {
    const results = sketch.pick(LAYERS)(sketch);
    if (results === null) continue;
    made += 1;
    // Now and then the result stays unused: a dead node.
    if (made === layers || sketch.chance(0.92)) sketch.pool.push(...results);
  }
  return sketch.finish(createRandom(seed + layers));
}

/** One line a node, for failure messages. */
export function describeGraph(graph: Graph): string {
  const show = (id: ValueId | null): string => {
    if (id === null) return '-';
    const { name, shape, dtype, quantization, role } = graph.values.get(id)!;
    const scale =
      quantization?.scales.length === 1 ? ` ${quantization.scales[0]}:${quantization.zeroPoints[0]}` : '';
    return `${role === 'activation' ? '' : `${role} `}${name}#${id} ${dtype}[${shape}]${scale}`;
  };
  return [
    ...graph.nodes.map(
      ({ op, attrs, ins, outs }) =>
        `${outs.map(show).join(', ')} = ${op}(${ins.map(show).join('; ')}) ${JSON.stringify(attrs)}`,
    ),
    `outputs ${graph.outputs.map(show).join(', ')}`,
  ].join('\n');
}
