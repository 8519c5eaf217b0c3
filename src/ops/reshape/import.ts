import type { ImportContext, TfliteImporter } from '../import-context.ts';

export const importReshape: TfliteImporter<'RESHAPE'> = (_, context) => reshaped(context);
export const importSqueeze: TfliteImporter<'SQUEEZE'> = (_, context) => reshaped(context);
export const importExpandDims: TfliteImporter<'EXPAND_DIMS'> = (_, context) => reshaped(context);

/** The shape of the output tensor is the truth; operands and options that repeat it are not read. */
function reshaped(context: ImportContext): void {
  context.node('reshape', {}, [context.operand(0)], [context.result()]);
}
