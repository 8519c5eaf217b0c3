/**
 * safetensors: an 8-byte little-endian header length, a JSON header { name: { dtype, shape, data_offsets } }, raw
 * little-endian data behind it.
 */
import { fail } from '../../core/diagnostics.ts';
import { DTYPES, type DType, fromBytes, type TypedArray } from '../../core/dtype.ts';

export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

const TYPES: Readonly<Record<string, DType>> = {
  F32: 'float32',
  I8: 'int8',
  U8: 'uint8',
  I16: 'int16',
  I32: 'int32',
  I64: 'int64',
  BOOL: 'bool',
};

/** A header is names and numbers; one of this size is not meant well. */
const MOST_HEADER_BYTES = 16 << 20;

/**
 * @param origin the file, for diagnostics
 * @throws RivuletError RV1002 (truncated), RV1003 (sizes that cannot be right), RV1004 (offsets outside the data), RV1005
 * (an element type that is not supported)
 */
export function readSafetensors(bytes: Uint8Array, origin: string): ReadonlyMap<string, StoredTensor> {
  if (bytes.length < 8) fail('RV1002', 'the file ends before its header', { origin });
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > MOST_HEADER_BYTES) fail('RV1003', `the header would have ${length} bytes`, { origin });
  if (8 + length > bytes.length)
    fail('RV1002', `the header has ${length} bytes, the file ${bytes.length}`, { origin });
  const header = parseHeader(new TextDecoder().decode(bytes.subarray(8, 8 + length)), origin);
  const data = bytes.subarray(8 + length);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== '__metadata__') tensors.set(name, readTensor(entry, data, `${origin}, tensor "${name}"`));
  }
  return tensors;
}

function parseHeader(text: string, origin: string): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(text);
    if (typeof header === 'object' && header !== null && !Array.isArray(header)) {
      return header as Record<string, unknown>;
    }
  } catch {
    // Said below.
  }
  return fail('RV1003', 'the header is not a JSON object', { origin });
}

function readTensor(entry: unknown, data: Uint8Array, origin: string): StoredTensor {
  const { dtype: code, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const dtype = TYPES[String(code)];
  if (dtype === undefined)
    return fail('RV1005', `element type ${JSON.stringify(code)} is not supported`, { origin });
  const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isCount) || !Array.isArray(offsets) || !offsets.every(isCount)) {
    return fail('RV1003', 'shape or offsets are not lists of sizes', { origin });
  }
  const [start = 0, end = 0] = offsets as number[];
  if (end > data.length || start > end)
    fail('RV1004', `bytes ${start} to ${end} lie outside the data`, { origin });
  const wanted = shape.reduce((product: number, size: number) => product * size, DTYPES[dtype].bytes);
  if (wanted !== end - start)
    fail('RV1003', `[${shape}] of ${dtype} takes ${wanted} bytes, not ${end - start}`, { origin });
  return { dtype, shape, data: fromBytes(dtype, data.subarray(start, end)) };
}
