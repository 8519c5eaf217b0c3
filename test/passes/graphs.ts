/** Small graphs for the tests of passes, and what every pass owes: valid graphs that compute the same bytes. */
import { expect } from 'vitest';
import type { TypedArray } from '../../src/core/dtype.ts';
import type {
  ConvolutionAttributes,
  NodeAttributes,
  OpName,
  PoolAttributes,
} from '../../src/ir/attributes.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import type { Graph, TensorType, ValueId } from '../../src/ir/types.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import type { Pass } from '../../src/passes/rewrite.ts';
import { runReference } from '../../src/run/reference.ts';
import { inputsFor } from '../support/inputs.ts';

export const FULL = { clamp: [-128, 127] } as const;
export const CONVOLUTION: ConvolutionAttributes = {
  stride: [1, 1],
  dilation: [1, 1],
  padding: [0, 0, 0, 0],
  ...FULL,
};
export const POOL: PoolAttributes = { kernel: [2, 2], stride: [1, 1], padding: [0, 0, 0, 0], ...FULL };

/** A graph written down node by node. */
export class GraphSketch {
  private readonly builder = new GraphBuilder('sketch');
  private nodes = 0;

  input(type: TensorType): ValueId {
    return this.builder.input('x', type);
  }

  constant({ data, ...type }: TensorType & { readonly data: TypedArray }): ValueId {
    return this.builder.constant('c', type, data);
  }

  node<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    ins: readonly (ValueId | null)[],
    type: TensorType,
  ): ValueId {
    const name = `${op}_${this.nodes}`;
    const out = this.builder.activation(name, type);
    this.builder.node(op, attrs, ins, [out], { index: this.nodes++, op, name });
    return out;
  }

  build(...outputs: ValueId[]): Graph {
    const graph = this.builder.build(outputs);
    expect(verifyGraph(graph)).toEqual([]);
    return graph;
  }
}

/** Runs `pass`: the result must be valid, compute the same bytes and consist of exactly `ops`. */
export function expectRewritten(pass: Pass, graph: Graph, ops: readonly OpName[]): Graph {
  const result = pass.run(graph);
  expect(result.nodes.map((node) => node.op)).toEqual(ops);
  expect(verifyGraph(result)).toEqual([]);
  for (const seed of [1, 2, 3]) {
    const inputs = inputsFor(graph, seed);
    expect(runReference(result, inputs)).toEqual(runReference(graph, inputs));
  }
  return result;
}

/** `pass` must leave the graph exactly as it is. */
export function expectUntouched(pass: Pass, graph: Graph): void {
  expect(pass.run(graph)).toEqual(graph);
}
