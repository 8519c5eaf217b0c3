import type { Pair } from '../../ir/attributes.ts';
import type { TfliteImporter } from '../import-context.ts';

export const importConv2d: TfliteImporter<'CONV_2D'> = ({ options }, context) => {
  const [x, weights] = [context.operand(0), context.operand(1)];
  const stride: Pair = [options.strideH, options.strideW];
  const dilation: Pair = [options.dilationH, options.dilationW];
  const kernel: Pair = [weights.shape[1] ?? 0, weights.shape[2] ?? 0];
  const size: Pair = [x.shape[1] ?? 0, x.shape[2] ?? 0];
  context.node(
    'conv2d',
    {
      stride,
      dilation,
      padding: context.padding(options.padding, size, kernel, stride, dilation),
      clamp: context.activationClamp(options.activation, context.result()),
    },
    [x, weights, context.ins[2] ?? null],
  );
};
