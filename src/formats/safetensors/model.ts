/**
 * What a safetensors file holds. Format: https://github.com/huggingface/safetensors, "Format": the length of a JSON header
 * (u64, little-endian), the header, then the elements of all tensors, little-endian and row-major, without gaps.
 */
import type { DType } from '../../core/dtype.ts';

/** The format's element types: bytes of an element, and ours where there is one. */
export const SAFE_DTYPES = {
  BOOL: { bytes: 1, dtype: 'bool' },
  U8: { bytes: 1, dtype: 'uint8' },
  I8: { bytes: 1, dtype: 'int8' },
  F8_E5M2: { bytes: 1 },
  F8_E4M3: { bytes: 1 },
  I16: { bytes: 2, dtype: 'int16' },
  U16: { bytes: 2 },
  F16: { bytes: 2 },
  BF16: { bytes: 2 },
  I32: { bytes: 4, dtype: 'int32' },
  U32: { bytes: 4 },
  F32: { bytes: 4, dtype: 'float32' },
  I64: { bytes: 8, dtype: 'int64' },
  U64: { bytes: 8 },
  F64: { bytes: 8 },
} as const satisfies Record<string, { bytes: number; dtype?: DType }>;

export type SafeDType = keyof typeof SAFE_DTYPES;

export interface SafeTensor {
  readonly dtype: SafeDType;
  readonly shape: readonly number[];
  /** Little-endian and row-major. */
  readonly bytes: Uint8Array;
}

export interface SafeTensors {
  readonly tensors: ReadonlyMap<string, SafeTensor>;
  /** The header's `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** The key of the header that is no tensor. */
export const METADATA = '__metadata__';
/** Bytes of the header's length. */
export const PREFIX = 8;
