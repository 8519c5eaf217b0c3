import type { Pair } from '../../ir/attributes.ts';
import { elementCount } from '../../ir/types.ts';
import { convolutionProblem, windowShape } from '../convolution.ts';
import type { NodeView, OpDef, Problem } from '../definition.ts';
import { sameShape } from '../strided.ts';
import { windowProblem } from '../window.ts';
import { depthwiseConv2dKernels } from './kernels.ts';
import { depthwiseConv2dReference } from './reference.ts';

export const depthwiseConv2d: OpDef<'depthwise_conv2d'> = {
  name: 'depthwise_conv2d',
  verify,
  macs({ ins, outs }) {
    const [, kernelHeight, kernelWidth] = ins[1]!.shape;
    return elementCount(outs[0]!.shape) * kernelHeight! * kernelWidth!;
  },
  reference: depthwiseConv2dReference,
  kernels: depthwiseConv2dKernels,
};

function verify({ attrs, ins, outs }: NodeView<'depthwise_conv2d'>): Problem | undefined {
  const output = outs[0]!;
  const operands = convolutionProblem(ins, output, 3);
  if (operands) return operands;
  const [x, weights] = [ins[0]!, ins[1]!];
  if (x.shape.length !== 4 || weights.shape.length !== 4 || output.shape.length !== 4) {
    return { code: 'RV2005', message: 'input, weights and output need four dimensions' };
  }
  const [one, kernelHeight, kernelWidth, outChannels] = weights.shape as [number, number, number, number];
  if (one !== 1 || outChannels % x.shape[3]! !== 0) {
    return {
      code: 'RV2005',
      message: `weights [${weights.shape}] do not fit ${x.shape[3]} input channels`,
    };
  }
  const kernel: Pair = [kernelHeight, kernelWidth];
  const window = windowProblem(attrs, kernel, attrs.dilation, output);
  if (window) return window;
  const expected = [
    x.shape[0]!,
    ...windowShape(x, kernel, attrs.stride, attrs.dilation, attrs.padding),
    outChannels,
  ];
  if (!sameShape(expected, output.shape)) {
    return {
      code: 'RV2005',
      message: `the output is [${output.shape}] where [${expected}] follows from the input`,
    };
  }
  return undefined;
}
