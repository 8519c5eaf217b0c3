import type { TfliteImporter } from '../import-context.ts';

export const importDequantize: TfliteImporter<'DEQUANTIZE'> = (_, context) => {
  context.node('dequantize', {}, [context.operand(0)], [context.result()]);
};
