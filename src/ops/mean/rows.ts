/** The rows of a mean, for any kernel that adds up one input row at a time. */
import { elementCount } from '../../ir/types.ts';
import type { CallSpec, NodeView } from '../definition.ts';
import { meanParameters } from './reference.ts';
import { meanShape } from './shape.ts';

/**
 * Firings in the order [outer][middle][reduced row]; the last reduced row writes the output.
 * @param requantization the fields of the geometry that make a result of a sum
 */
export function bindMean(
  { attrs, ins, outs }: NodeView<'mean'>,
  requantization: Readonly<Record<string, number>>,
): CallSpec {
  const [x, y] = [ins[0]!, outs[0]!];
  const { outer, reducedRows, middle, groups, reduced, inner } = meanShape(x, attrs.axes);
  const firings = outer * middle * reducedRows;
  const { sumOffset } = meanParameters(x, y, elementCount(x.shape) / elementCount(y.shape));
  const inBytes = groups * reduced * inner;
  const outBytes = groups * inner;
  const inRow = (firing: number): number => {
    const result = Math.floor(firing / reducedRows);
    const row = Math.floor(result / middle) * reducedRows + (firing % reducedRows);
    return row * middle + (result % middle);
  };
  const outRow = (firing: number): number =>
    (firing + 1) % reducedRows === 0 ? Math.floor(firing / reducedRows) : -1;
  const rows = (rowOf: (firing: number) => number): Int32Array =>
    Int32Array.from({ length: firings }, (_, firing) => rowOf(firing));
  return {
    geometry: {
      rows: reducedRows,
      groups,
      reduced,
      inner,
      sum_offset: sumOffset,
      ...requantization,
    },
    data: {},
    firings,
    slots: [{ operand: 0, offset: 0, pitch: inBytes, rowBytes: inBytes, rows: rows(inRow) }],
    output: { offset: 0, pitch: outBytes, rowBytes: outBytes, rows: rows(outRow) },
    ...(reducedRows > 1 && {
      scratchBytes: outBytes * Int32Array.BYTES_PER_ELEMENT,
      scratchKeeps: true,
    }),
    reversible: reducedRows === 1,
  };
}
