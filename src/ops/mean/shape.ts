import type { TensorType } from '../../ir/types.ts';
import { elementCount } from '../../ir/types.ts';

/**
 * A mean over neighbouring dimensions, seen through the rows of the input (its last two dimensions). The tensor is
 * [outer][reducedRows][middle] rows of [groups][reduced][inner] elements; the dimensions called reduced are summed.
 */
export interface MeanShape {
  readonly outer: number;
  readonly reducedRows: number;
  readonly middle: number;
  readonly groups: number;
  readonly reduced: number;
  readonly inner: number;
}

/** `axes`: sorted, not empty, without gaps. */
export function meanShape({ shape }: TensorType, axes: readonly number[]): MeanShape {
  const rowStart = Math.max(0, shape.length - 2);
  const first = axes[0]!;
  const end = axes[axes.length - 1]! + 1;
  const product = (from: number, to: number): number => elementCount(shape.slice(from, Math.max(from, to)));
  const inRow = (dimension: number): number => Math.max(rowStart, dimension);
  return {
    outer: product(0, Math.min(first, rowStart)),
    reducedRows: product(first, Math.min(end, rowStart)),
    middle: product(end, rowStart),
    groups: product(rowStart, first),
    reduced: product(inRow(first), end),
    inner: product(inRow(end), shape.length),
  };
}
