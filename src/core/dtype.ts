/** Element types of tensors and the typed arrays that hold them. */
export type DType = 'int8' | 'uint8' | 'int16' | 'int32' | 'int64' | 'float32' | 'bool';

export type TypedArray = Int8Array | Uint8Array | Int16Array | Int32Array | BigInt64Array | Float32Array;

interface DTypeInfo {
  readonly bytes: number;
  readonly array: new (buffer: ArrayBuffer, byteOffset?: number, length?: number) => TypedArray;
  /** The C99 type of one element. */
  readonly c: string;
}

export const DTYPES: { readonly [T in DType]: DTypeInfo } = {
  int8: { bytes: 1, array: Int8Array, c: 'int8_t' },
  uint8: { bytes: 1, array: Uint8Array, c: 'uint8_t' },
  int16: { bytes: 2, array: Int16Array, c: 'int16_t' },
  int32: { bytes: 4, array: Int32Array, c: 'int32_t' },
  int64: { bytes: 8, array: BigInt64Array, c: 'int64_t' },
  float32: { bytes: 4, array: Float32Array, c: 'float' },
  bool: { bytes: 1, array: Uint8Array, c: 'uint8_t' },
};

/** A zeroed array of `length` elements of `dtype`. */
export function allocate(dtype: DType, length: number): TypedArray {
  return new DTYPES[dtype].array(new ArrayBuffer(length * DTYPES[dtype].bytes));
}

/** Copies little-endian `bytes` into an aligned array of `dtype`; a trailing partial element is dropped. */
export function fromBytes(dtype: DType, bytes: Uint8Array): TypedArray {
  const length = Math.floor(bytes.length / DTYPES[dtype].bytes);
  const copy = new Uint8Array(length * DTYPES[dtype].bytes);
  copy.set(bytes.subarray(0, copy.length));
  return new DTYPES[dtype].array(copy.buffer);
}

/** The bytes of an array, not copied. */
export function asBytes(array: TypedArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The elements as plain numbers (int64 values must be safe integers). */
export function toNumbers(array: TypedArray): number[] {
  return Array.from(array as ArrayLike<number | bigint>, Number);
}
