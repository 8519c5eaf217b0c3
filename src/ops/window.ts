/** Bounds that every operator with a sliding window obeys. */
import type { Pair, WindowAttributes } from '../ir/attributes.ts';
import type { TensorType } from '../ir/types.ts';
import { clampProblem } from './bytes.ts';
import type { Problem } from './definition.ts';
import { rowsOf } from './rows.ts';

/** Largest window, stride, dilation or padding; products of two stay far inside int32. */
const MAX_EXTENT = 1 << 14;
/** Most entries of the row tables of one operator (window rows times output rows). */
const MAX_ROW_ENTRIES = 1 << 22;

/** The problem with a window whose rows are slots of the kernel. */
export function windowProblem(
  attrs: WindowAttributes,
  kernel: Pair,
  dilation: Pair,
  output: TensorType,
): Problem | undefined {
  const areExtents = (sizes: readonly number[], count: number, least: number): boolean =>
    sizes.length === count &&
    sizes.every((size) => Number.isInteger(size) && size >= least && size <= MAX_EXTENT);
  if (![kernel, attrs.stride, dilation].every((sizes) => areExtents(sizes, 2, 1))) {
    return {
      code: 'RV2002',
      message: `window [${kernel}], stride [${attrs.stride}] and dilation [${dilation}] must be 1 to ${MAX_EXTENT}`,
    };
  }
  if (!areExtents(attrs.padding, 4, 0)) {
    return { code: 'RV2002', message: `padding [${attrs.padding}] must be 0 to ${MAX_EXTENT}` };
  }
  if (kernel[0] * rowsOf(output).count > MAX_ROW_ENTRIES) {
    return {
      code: 'RV2006',
      message: `${kernel[0]} window rows for each of ${rowsOf(output).count} output rows`,
    };
  }
  return clampProblem(attrs.clamp);
}

/** SAME along one dimension: out = ceil(in / stride); the total is split with the smaller half first. */
export function samePadding(
  size: number,
  kernel: number,
  stride: number,
  dilation: number,
): [before: number, after: number] {
  const output = Math.ceil(size / stride);
  const total = Math.max(0, (output - 1) * stride + (kernel - 1) * dilation + 1 - size);
  return [total >> 1, total - (total >> 1)];
}
