import { elementCount } from '../../ir/types.ts';
import { convolutionProblem, windowShape } from '../convolution.ts';
import type { NodeView, OpDef, Problem } from '../definition.ts';
import { windowProblem } from '../window.ts';
import { conv2dKernels } from './kernels.ts';
import { conv2dReference } from './reference.ts';

export const conv2d: OpDef<'conv2d'> = {
  name: 'conv2d',
  verify,
  macs({ ins, outs }) {
    const [, kernelHeight, kernelWidth, channels] = ins[1]!.shape;
    return elementCount(outs[0]!.shape) * kernelHeight! * kernelWidth! * channels!;
  },
  reference: conv2dReference,
  kernels: conv2dKernels,
};

function verify({ attrs, ins, outs }: NodeView<'conv2d'>): Problem | undefined {
  const output = outs[0]!;
  const operands = convolutionProblem(ins, output, 0);
  if (operands) return operands;
  const [x, weights] = [ins[0]!, ins[1]!];
  if (x.shape.length !== 4 || weights.shape.length !== 4 || output.shape.length !== 4) {
    return { code: 'RV2005', message: 'input, weights and output need four dimensions' };
  }
  const window = windowProblem(attrs, [weights.shape[1]!, weights.shape[2]!], attrs.dilation, output);
  if (window) return window;
  const [outChannels, kernelHeight, kernelWidth, groupChannels] = weights.shape as [
    number,
    number,
    number,
    number,
  ];
  if (
    groupChannels === 0 ||
    x.shape[3]! % groupChannels !== 0 ||
    outChannels % (x.shape[3]! / groupChannels) !== 0
  ) {
    return {
      code: 'RV2005',
      message: `${x.shape[3]} input channels cannot be grouped by weights [${weights.shape}]`,
    };
  }
  const [height, width] = windowShape(
    x,
    [kernelHeight, kernelWidth],
    attrs.stride,
    attrs.dilation,
    attrs.padding,
  );
  const expected = [x.shape[0], height, width, outChannels];
  if (expected.some((size, i) => size !== output.shape[i])) {
    return {
      code: 'RV2005',
      message: `the output is [${output.shape}] where [${expected}] follows from the input`,
    };
  }
  return undefined;
}
