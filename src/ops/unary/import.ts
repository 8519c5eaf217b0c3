import type { ImportContext, TfliteImporter } from '../import-context.ts';
import { sameQuantization } from '../quantization.ts';

export const importRelu: TfliteImporter<'RELU'> = (_, context) => rescaleAndClamp('RELU', context);
export const importReluN1To1: TfliteImporter<'RELU_N1_TO_1'> = (_, context) =>
  rescaleAndClamp('RELU_N1_TO_1', context);

/**
 * TFLM's RELU6 only clamps: raw values stay what they are, between 0 and 6 in the input's quantisation, whatever the
 * output's quantisation says. Where the two differ, the clamped bytes are therefore relabelled, not rescaled.
 */
export const importRelu6: TfliteImporter<'RELU6'> = (_, context) => {
  const [x, y] = [context.operand(0), context.result()];
  if (x.quantization === undefined || sameQuantization(x, y)) {
    rescaleAndClamp('RELU6', context);
    return;
  }
  const clamped = context.between('clamped', {
    shape: x.shape,
    dtype: x.dtype,
    quantization: x.quantization,
  });
  context.node('relu', { clamp: context.activationClamp('RELU6', clamped) }, [x], [clamped]);
  context.node('reshape', {}, [clamped], [y]);
};

export const importLeakyRelu: TfliteImporter<'LEAKY_RELU'> = ({ options }, context) => {
  context.node('leaky_relu', { alpha: options.alpha }, [context.operand(0)], [context.result()]);
};

export const importHardSwish: TfliteImporter<'HARD_SWISH'> = (_, context) => plain('hard_swish', context);
export const importLogistic: TfliteImporter<'LOGISTIC'> = (_, context) => plain('logistic', context);
export const importTanh: TfliteImporter<'TANH'> = (_, context) => plain('tanh', context);

function rescaleAndClamp(activation: string, context: ImportContext): void {
  const y = context.result();
  context.node('relu', { clamp: context.activationClamp(activation, y) }, [context.operand(0)], [y]);
}

function plain(op: 'hard_swish' | 'logistic' | 'tanh', context: ImportContext): void {
  context.node(op, {}, [context.operand(0)], [context.result()]);
}
