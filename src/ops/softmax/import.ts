import type { TfliteImporter } from '../import-context.ts';

/** A beta of 0 means that the writer left it out: 1. */
export const importSoftmax: TfliteImporter<'SOFTMAX'> = ({ options }, context) => {
  context.node('softmax', { beta: options.beta === 0 ? 1 : options.beta }, [context.operand(0)]);
};
