/** Tensors as rows: how a shape lies in memory and which rows a firing reads. */
import { DTYPES } from '../core/dtype.ts';
import type { Pair } from '../ir/attributes.ts';
import type { Shape, TensorType } from '../ir/types.ts';
import type { RowSpec, SlotSpec } from './definition.ts';

/** A shape seen as [batch, height, width, channels]; leading dimensions beyond four fold into the batch. */
export interface Plane {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

export function planeOf(shape: Shape): Plane {
  const size = (fromEnd: number): number => shape[shape.length - fromEnd] ?? 1;
  let batch = 1;
  for (let i = 0; i < shape.length - 3; ++i) batch *= shape[i]!;
  return { batch, height: size(3), width: size(2), channels: size(1) };
}

export function elementBytes(type: TensorType): number {
  return DTYPES[type.dtype].bytes;
}

/** Rows of a tensor over all images of the batch, and the bytes of one. */
export function rowsOf(type: TensorType): { count: number; bytes: number } {
  const plane = planeOf(type.shape);
  return { count: plane.batch * plane.height, bytes: plane.width * plane.channels * elementBytes(type) };
}

/** Every row of `type` in order: firing i touches row i. */
export function eachRow(type: TensorType): RowSpec {
  const { count, bytes } = rowsOf(type);
  return { offset: 0, pitch: bytes, rowBytes: bytes, rows: Int32Array.from({ length: count }, (_, i) => i) };
}

/** Row `rowOf(firing)` of `type`, -1 for none. */
export function rowsBy(type: TensorType, firings: number, rowOf: (firing: number) => number): RowSpec {
  const { bytes } = rowsOf(type);
  return {
    offset: 0,
    pitch: bytes,
    rowBytes: bytes,
    rows: Int32Array.from({ length: firings }, (_, i) => rowOf(i)),
  };
}

/** The whole tensor as a single row, read or written by every one of `firings`. */
export function wholeTensor(type: TensorType, firings = 1): RowSpec {
  const { count, bytes } = rowsOf(type);
  return { offset: 0, pitch: count * bytes, rowBytes: count * bytes, rows: new Int32Array(firings) };
}

/** Firing i touches the i-th run of `length` int8 elements, whatever the shape. */
export function vectors(count: number, length: number): RowSpec {
  return {
    offset: 0,
    pitch: length,
    rowBytes: length,
    rows: Int32Array.from({ length: count }, (_, i) => i),
  };
}

/** One slot per kernel row k: output row y reads input row y * stride - top + k * dilation, NULL outside the plane. */
export function windowSlots(
  input: TensorType,
  output: TensorType,
  window: { kernelHeight: number; stride: Pair; dilation: Pair; top: number },
): SlotSpec[] {
  const inPlane = planeOf(input.shape);
  const outPlane = planeOf(output.shape);
  return Array.from({ length: window.kernelHeight }, (_, k) => ({
    operand: 0,
    ...rowsBy(input, outPlane.batch * outPlane.height, (firing) => {
      const image = Math.floor(firing / outPlane.height);
      const y = (firing % outPlane.height) * window.stride[0] - window.top + k * window.dilation[0];
      return y >= 0 && y < inPlane.height ? image * inPlane.height + y : -1;
    }),
  }));
}
