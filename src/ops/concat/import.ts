import { warningDiagnostic } from '../../core/diagnostics.ts';
import { describeOrigin, type Value } from '../../ir/types.ts';
import type { ImportContext, TfliteImporter } from '../import-context.ts';
import { isPerTensor, sameQuantization, scaleOf, zeroPointOf } from '../quantization.ts';

export const importConcatenation: TfliteImporter<'CONCATENATION'> = ({ options }, context) => {
  const y = context.result();
  if (options.activation !== 'NONE') {
    context.reject(
      'RV2002',
      `the fused activation ${options.activation} is not supported on a concatenation`,
    );
  }
  const ins = context.ins.map((_, i) => requantized(context, i, y));
  context.node('concat', { axis: context.axis(options.axis, y.shape.length) }, ins, [y]);
};

/** Operand `index` in the output's quantisation, as int8 models should have it; others are converted and reported. */
function requantized(context: ImportContext, index: number, y: Value): Value {
  const x = context.operand(index);
  if (!isPerTensor(x) || !isPerTensor(y) || sameQuantization(x, y)) return x;
  context.warnings.push(
    warningDiagnostic(
      'RV2004',
      `input ${index} has scale ${scaleOf(x)} and zero point ${zeroPointOf(x)}, the output ${scaleOf(y)} and ${zeroPointOf(y)}; the input is requantised`,
      {
        origin: describeOrigin(context.origin),
        hint: 'convert the model so that all inputs of a concatenation share the scale of its output',
      },
    ),
  );
  const converted = context.between(`input${index}`, {
    shape: x.shape,
    dtype: y.dtype,
    quantization: y.quantization!,
  });
  context.node('quantize', {}, [x], [converted]);
  return converted;
}
