import type { ImportContext, TfliteImporter } from '../import-context.ts';
import { sameQuantization, zeroPointOf } from '../quantization.ts';

/** The border is the output's zero point, that is real 0. */
export const importPad: TfliteImporter<'PAD'> = (_, context) => {
  const y = context.result();
  padded(context, y.quantization === undefined ? 0 : zeroPointOf(y));
};

/** The border is the third operand, raw; its quantisation must be the output's. */
export const importPadV2: TfliteImporter<'PADV2'> = (_, context) => {
  const [value, y] = [context.operand(2), context.result()];
  const raw = context.constant(2, 'the padding value');
  if (raw.length !== 1 || value.dtype !== y.dtype) {
    context.reject(
      'RV2002',
      `the padding value has ${raw.length} elements of ${value.dtype}, not one ${y.dtype}`,
    );
  }
  if (value.quantization !== undefined && !sameQuantization(value, y)) {
    context.reject('RV2004', 'the padding value is not quantised as the output is');
  }
  padded(context, raw[0]!);
};

/** Paddings are a constant [rank, 2] of sizes before and after. */
function padded(context: ImportContext, value: number): void {
  const x = context.operand(0);
  const sizes = context.constant(1, 'the padding');
  if (sizes.length !== 2 * x.shape.length) {
    context.reject('RV2005', `${sizes.length} padding sizes do not fit ${x.shape.length} dimensions`);
  }
  const before = x.shape.map((_, d) => sizes[2 * d]!);
  const after = x.shape.map((_, d) => sizes[2 * d + 1]!);
  context.node('pad', { before, after, value }, [x], [context.result()]);
}
