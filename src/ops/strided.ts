/** Tensors walked with strides: what broadcasting, slicing, padding, transposing and joining have in common. */
import { elementCount, type Shape } from '../ir/types.ts';

/** Elements from one index to the next in every dimension of a row-major shape. */
export function stridesOf(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let d = shape.length - 2; d >= 0; --d) strides[d] = strides[d + 1]! * shape[d + 1]!;
  return strides;
}

/**
 * start + sum of index[d] * strides[d] for every index of `shape` in row-major order: where each element of one tensor
 * lies in another.
 */
export function stridedOffsets(shape: Shape, strides: readonly number[], start = 0): Int32Array {
  const offsets = new Int32Array(elementCount(shape));
  const index = shape.map(() => 0);
  let offset = start;
  for (let i = 0; i < offsets.length; ++i) {
    offsets[i] = offset;
    for (let d = shape.length - 1; d >= 0; --d) {
      offset += strides[d]!;
      if (++index[d]! < shape[d]!) break;
      offset -= shape[d]! * strides[d]!;
      index[d] = 0;
    }
  }
  return offsets;
}

/** Strides that repeat an operand along the dimensions of `shape` it lacks or has only once (NumPy broadcasting). */
export function broadcastStrides(operand: Shape, shape: Shape): number[] {
  const missing = shape.length - operand.length;
  const strides = stridesOf(operand);
  return shape.map((_, d) => (d < missing || operand[d - missing] === 1 ? 0 : strides[d - missing]!));
}

/** The shape that NumPy broadcasting gives, or undefined when the operands do not fit. */
export function broadcastShape(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let fromEnd = rank; fromEnd >= 1; --fromEnd) {
    const [sizeA, sizeB] = [a.at(-fromEnd) ?? 1, b.at(-fromEnd) ?? 1];
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) return undefined;
    shape.push(sizeA === 1 ? sizeB : sizeA);
  }
  return shape;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, d) => size === b[d]);
}

/** The dimensions that count rows: all but the last two. Their elements are the rows of `rowsOf`, in order. */
export function leadingOf<T>(perDimension: readonly T[]): readonly T[] {
  return perDimension.slice(0, -2);
}
