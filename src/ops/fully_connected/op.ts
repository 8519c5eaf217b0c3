import { elementCount } from '../../ir/types.ts';
import { clampProblem } from '../bytes.ts';
import { convolutionProblem } from '../convolution.ts';
import type { NodeView, OpDef, Problem } from '../definition.ts';
import { multiplierProblem } from '../quantization.ts';
import { fullyConnectedKernels } from './kernels.ts';
import { fullyConnectedMultipliers } from './multipliers.ts';
import { fullyConnectedReference } from './reference.ts';

export const fullyConnected: OpDef<'fully_connected'> = {
  name: 'fully_connected',
  verify,
  macs: ({ ins, outs }) => elementCount(outs[0]!.shape) * ins[1]!.shape[1]!,
  reference: fullyConnectedReference,
  kernels: fullyConnectedKernels,
};

function verify({ attrs, ins, outs }: NodeView<'fully_connected'>): Problem | undefined {
  const output = outs[0]!;
  const operands = convolutionProblem(ins, output, 0);
  if (operands) return operands;
  const [x, weights] = [ins[0]!, ins[1]!];
  if (weights.shape.length !== 2) {
    return { code: 'RV2005', message: `the weights are [${weights.shape}], not [outputs, inputs]` };
  }
  const [outputs, inputs] = weights.shape as [number, number];
  const batch = elementCount(x.shape) / inputs;
  if (!Number.isInteger(batch) || elementCount(output.shape) !== batch * outputs) {
    return {
      code: 'RV2005',
      message: `weights [${weights.shape}] do not lead from input [${x.shape}] to output [${output.shape}]`,
    };
  }
  return clampProblem(attrs.clamp) ?? multiplierProblem(fullyConnectedMultipliers(x, weights, output));
}
