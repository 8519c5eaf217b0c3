import type { TfliteImporter } from '../import-context.ts';

export const importQuantize: TfliteImporter<'QUANTIZE'> = (_, context) => {
  context.node('quantize', {}, [context.operand(0)], [context.result()]);
};
