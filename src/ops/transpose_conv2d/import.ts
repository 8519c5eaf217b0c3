import type { Pair } from '../../ir/attributes.ts';
import type { TfliteImporter } from '../import-context.ts';
import { sameShape } from '../strided.ts';

/**
 * Operands [output shape, weights, x, bias?]. The padding is that of the forward convolution that leads from the
 * output back to the input.
 */
export const importTransposeConv: TfliteImporter<'TRANSPOSE_CONV'> = ({ options }, context) => {
  const shape = context.constant(0, 'the output shape');
  const [weights, x, y] = [context.operand(1), context.operand(2), context.result()];
  if (!sameShape(shape, y.shape)) {
    context.reject('RV2005', `the output is [${y.shape}] where operand 0 says [${shape}]`);
  }
  const stride: Pair = [options.strideH, options.strideW];
  const kernel: Pair = [weights.shape[1] ?? 0, weights.shape[2] ?? 0];
  const size: Pair = [y.shape[1] ?? 0, y.shape[2] ?? 0];
  context.node(
    'transpose_conv2d',
    {
      stride,
      padding: context.padding(options.padding, size, kernel, stride, [1, 1]),
      clamp: context.activationClamp(options.activation, y),
    },
    [x, weights, context.ins[3] ?? null],
  );
};
