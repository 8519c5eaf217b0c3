import { elementCount, type Value } from '../../ir/types.ts';
import type { CallSpec, KernelConstant, NodeView, RowSpec } from '../definition.ts';
import { multiplierConstants, zeroPointOf } from '../quantization.ts';
import { fullyConnectedMultipliers } from './multipliers.ts';

/** A call per vector of the batch; `parameters`: weights and biases as the kernel wants them. */
export function bindVectors(
  { attrs, ins, outs }: NodeView<'fully_connected'>,
  parameters: Readonly<Record<string, KernelConstant>>,
): CallSpec {
  const [x, weights] = ins as [Value, Value];
  const y = outs[0]!;
  const [outputs, inputs] = weights.shape as [number, number];
  const multipliers = fullyConnectedMultipliers(x, weights, y);
  const batch = elementCount(y.shape) / outputs;
  return {
    geometry: {
      inputs,
      outputs,
      multiplier_step: multipliers.length === 1 ? 0 : 1,
      out_zero_point: zeroPointOf(y),
      out_min: attrs.clamp[0],
      out_max: attrs.clamp[1],
    },
    data: { ...parameters, ...multiplierConstants(multipliers) },
    firings: batch,
    slots: [{ operand: 0, ...vectors(batch, inputs) }],
    output: vectors(batch, outputs),
  };
}

/** Firing i touches the i-th run of `length` int8 elements, whatever the shape. */
function vectors(count: number, length: number): RowSpec {
  return {
    offset: 0,
    pitch: length,
    rowBytes: length,
    rows: Int32Array.from({ length: count }, (_, i) => i),
  };
}
