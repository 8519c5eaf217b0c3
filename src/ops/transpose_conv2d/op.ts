import { elementCount } from '../../ir/types.ts';
import { convolutionProblem } from '../convolution.ts';
import type { NodeView, OpDef, Problem } from '../definition.ts';
import { windowProblem } from '../window.ts';
import { transposeConv2dKernels } from './kernels.ts';
import { transposeConv2dReference } from './reference.ts';

export const transposeConv2d: OpDef<'transpose_conv2d'> = {
  name: 'transpose_conv2d',
  verify,
  macs({ ins }) {
    const [outChannels, kernelHeight, kernelWidth] = ins[1]!.shape;
    return elementCount(ins[0]!.shape) * outChannels! * kernelHeight! * kernelWidth!;
  },
  reference: transposeConv2dReference,
  kernels: transposeConv2dKernels,
};

/** Any output height and width will do: pixels that no input reaches are the bias alone. */
function verify({ attrs, ins, outs }: NodeView<'transpose_conv2d'>): Problem | undefined {
  const output = outs[0]!;
  const operands = convolutionProblem(ins, output, 0);
  if (operands) return operands;
  const [x, weights] = [ins[0]!, ins[1]!];
  if (x.shape.length !== 4 || weights.shape.length !== 4 || output.shape.length !== 4) {
    return { code: 'RV2005', message: 'input, weights and output need four dimensions' };
  }
  const [outChannels, kernelHeight, kernelWidth, inChannels] = weights.shape as [
    number,
    number,
    number,
    number,
  ];
  if (x.shape[3] !== inChannels || output.shape[3] !== outChannels || output.shape[0] !== x.shape[0]) {
    return {
      code: 'RV2005',
      message: `weights [${weights.shape}] do not lead from input [${x.shape}] to output [${output.shape}]`,
    };
  }
  return windowProblem(attrs, [kernelHeight, kernelWidth], [1, 1], output);
}
