import type { TfliteImporter } from '../import-context.ts';

/** `keepNumDims` only shapes the output, and the file says that shape. */
export const importFullyConnected: TfliteImporter<'FULLY_CONNECTED'> = ({ options }, context) => {
  if (options.weightsFormat !== 'DEFAULT') {
    context.reject('RV2002', `weights in ${options.weightsFormat} order are not supported`);
  }
  context.node('fully_connected', { clamp: context.activationClamp(options.activation, context.result()) }, [
    context.operand(0),
    context.operand(1),
    context.ins[2] ?? null,
  ]);
};
