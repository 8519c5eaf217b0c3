import type { Value } from '../../ir/types.ts';
import type { CallSpec, KernelConstant, NodeView } from '../definition.ts';
import { multiplierConstants, zeroPointOf } from '../quantization.ts';
import { fullyConnectedMultipliers } from './multipliers.ts';
import { vectorRows } from './rows.ts';

/** A call per vector of the batch; `parameters`: weights and biases as the kernel wants them. */
export function bindVectors(
  view: NodeView<'fully_connected'>,
  parameters: Readonly<Record<string, KernelConstant>>,
): CallSpec {
  const { attrs, ins, outs } = view;
  const [x, weights] = ins as [Value, Value];
  const y = outs[0]!;
  const [outputs, inputs] = weights.shape as [number, number];
  const multipliers = fullyConnectedMultipliers(x, weights, y);
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
    ...vectorRows(view),
  };
}
