/** Element-wise operators against real arithmetic: one step of the output at most, wherever the result is representable. */
import { describe, expect, it } from 'vitest';
import type { OpName } from '../../src/ir/attributes.ts';
import type { Node } from '../../src/ir/types.ts';
import type { OpCase } from '../../src/ops/case.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import type { Tensor } from '../../src/ops/definition.ts';
import { evaluateNode } from '../../src/ops/evaluate.ts';
import { scaleOf, zeroPointOf } from '../../src/ops/quantization.ts';
import { broadcastStrides, stridedOffsets } from '../../src/ops/strided.ts';
import { inputsFor } from '../support/inputs.ts';

type Real = (operands: readonly number[], node: Node) => number;

const REAL: { readonly [K in OpName]?: Real } = {
  add: ([a, b]) => a! + b!,
  sub: ([a, b]) => a! - b!,
  mul: ([a, b]) => a! * b!,
  maximum: ([a, b]) => Math.max(a!, b!),
  minimum: ([a, b]) => Math.min(a!, b!),
  prelu: ([a, b]) => (a! >= 0 ? a! : a! * b!),
  relu: ([a]) => a!,
  leaky_relu: ([a], node) => (a! >= 0 ? a! : a! * (node.attrs as { alpha: number }).alpha),
  hard_swish: ([a]) => (a! * Math.min(6, Math.max(0, a! + 3))) / 6,
  logistic: ([a]) => 1 / (1 + Math.exp(-a!)),
  tanh: ([a]) => Math.tanh(a!),
  quantize: ([a]) => a!,
};

describe.each(Object.entries(REAL))('%s', (op, real) => {
  it.each(ALL_CASES[op]!.map((c) => [c.name, c] as const))('%s', (_, { graph }: OpCase) => {
    const node = graph.nodes[0]!;
    const tensors = new Map<number, Tensor>();
    for (const value of graph.values.values())
      if (value.data) tensors.set(value.id, { ...value, data: value.data });
    const inputs = inputsFor(graph, 5);
    graph.inputs.forEach((id, i) => {
      const value = graph.values.get(id)!;
      const bytes = inputs[i]!;
      const Data = { int8: Int8Array, uint8: Uint8Array, float32: Float32Array }[value.dtype as 'int8'];
      tensors.set(id, { ...value, data: new Data(bytes.buffer, bytes.byteOffset) });
    });
    const [y] = evaluateNode(graph, node, tensors);
    const operands = node.ins.map((id) => spread(tensors.get(id!)!, y!));
    const [lowest, highest] = boundsOf(node, y!);
    // hard_swish keeps 7 bits below the input's step and 15 of the product: coarser where the output is finer.
    const x = tensors.get(node.ins[0]!)!;
    const tolerance = op === 'hard_swish' ? 1 + scaleOf(x) / scaleOf(y!) / 4 : 1;
    for (let i = 0; i < y!.data.length; ++i) {
      const exact =
        real(
          operands.map((values) => values[i]!),
          node,
        ) /
          scaleOf(y!) +
        zeroPointOf(y!);
      const expected = Math.min(highest, Math.max(lowest, exact));
      expect(Math.abs((y!.data[i] as number) - expected)).toBeLessThanOrEqual(tolerance);
    }
  });
});

/** Real values of an operand, one for each element of the output. */
function spread(operand: Tensor, y: Tensor): number[] {
  const positions = stridedOffsets(y.shape, broadcastStrides(operand.shape, y.shape));
  return Array.from(positions, (at) => {
    const raw = operand.data[at] as number;
    return operand.dtype === 'float32' ? raw : scaleOf(operand) * (raw - zeroPointOf(operand));
  });
}

function boundsOf(node: Node, y: Tensor): readonly [number, number] {
  if ('clamp' in node.attrs) return node.attrs.clamp;
  return y.dtype === 'int8' ? [-128, 127] : [0, 255];
}
