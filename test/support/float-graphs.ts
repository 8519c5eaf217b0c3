/** Float32 graphs in tests: seeded inputs, and the reference in double precision, for finite differences. */
import type { TypedArray } from '../../src/core/dtype.ts';
import { createRandom } from '../../src/core/random.ts';
import type { OpName } from '../../src/ir/attributes.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import { elementCount, type Graph, requireValue, type ValueId } from '../../src/ir/types.ts';
import { float32 } from '../../src/ops/case.ts';
import type { ReferenceView, Tensor } from '../../src/ops/definition.ts';
import { UNBOUNDED } from '../../src/ops/float.ts';
import { definitionOf } from '../../src/ops/view.ts';

/** By input id: uniform values in [-3.5, 3.5], or labels of which every third is no class. */
export function floatInputs(graph: Graph, seed: number): Map<ValueId, Float64Array> {
  const random = createRandom(seed);
  return new Map(
    graph.inputs.map((id) => {
      const { shape, dtype } = requireValue(graph, id);
      const values = Float64Array.from({ length: elementCount(shape) }, (_, i) => {
        if (dtype === 'int32') return i % 3 === 2 ? [-1, 99][i % 2]! : Math.floor(random() * 5);
        return Math.fround(7 * random() - 3.5);
      });
      return [id, values];
    }),
  );
}

/**
 * The reference of every node on Float64Arrays: states are what `states` holds, and change.
 * @returns by output
 */
export function runInDouble(
  graph: Graph,
  inputs: ReadonlyMap<ValueId, Float64Array>,
  states: Map<ValueId, Float64Array> = new Map(),
): Float64Array[] {
  const tensors = new Map<ValueId, Tensor>();
  const tensor = (id: ValueId, data: Float64Array): void => {
    tensors.set(id, { ...requireValue(graph, id), data: data as unknown as TypedArray });
  };
  for (const [id, data] of inputs) tensor(id, data);
  for (const { id, role, data } of graph.values.values()) {
    if (role === 'const') tensor(id, Float64Array.from(data as Float32Array));
    if (role !== 'state') continue;
    const state = states.get(id) ?? Float64Array.from(data as Float32Array);
    states.set(id, state);
    tensor(id, state);
  }
  for (const node of graph.nodes) {
    for (const id of node.outs) tensor(id, new Float64Array(elementCount(requireValue(graph, id).shape)));
    const at = (id: ValueId): Tensor => tensors.get(id)!;
    const view = {
      attrs: node.attrs,
      ins: node.ins.map((id) => (id === null ? null : at(id))),
      outs: node.outs.map(at),
    } as ReferenceView<OpName>;
    definitionOf(node).reference(view);
  }
  return graph.outputs.map((id) => tensors.get(id)!.data as unknown as Float64Array);
}

/** `graph` with a loss behind it: the sum of its output's elements, each times a number of its own. */
export function withLoss(graph: Graph): Graph {
  const builder = GraphBuilder.from(graph);
  for (const node of graph.nodes) builder.push(node);
  const out = requireValue(graph, graph.outputs[0]!);
  const random = createRandom(7);
  const factors = Float32Array.from({ length: elementCount(out.shape) }, () => 2 * random() - 1);
  const origin = { index: 1, op: 'loss', name: 'loss' };
  const product = builder.activation('product', float32(out.shape));
  const weights = builder.constant('factors', float32(out.shape), factors);
  builder.node('mul', { clamp: UNBOUNDED }, [out.id, weights], [product], origin);
  const loss = builder.activation('loss', float32([1]));
  builder.node('sum', {}, [product], [loss], origin);
  return builder.build([loss]);
}

/** Names of the float32 inputs. */
export function floatInputNames(graph: Graph): string[] {
  return graph.inputs
    .map((id) => requireValue(graph, id))
    .filter(({ dtype }) => dtype === 'float32')
    .map(({ name }) => name);
}
