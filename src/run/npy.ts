/**
 * Reads NumPy's .npy files, versions 1 to 3, little-endian.
 * Format: numpy.lib.format — magic, version, header length, a Python dict in ASCII, then the elements.
 */
import { fail } from '../core/diagnostics.ts';
import { DTYPES, type DType, fromBytes, type TypedArray } from '../core/dtype.ts';
import { elementCount } from '../ir/types.ts';

/** Elements in row-major order. */
export type NpyArray = { readonly shape: readonly number[] } & (
  | { readonly dtype: DType; readonly data: TypedArray }
  | { readonly dtype: 'float64'; readonly data: Float64Array }
);

const MAGIC = '\x93NUMPY';

/** NumPy's type strings. Single bytes have no order (`|`), but some writers say little-endian all the same. */
const TYPES: Readonly<Record<string, NpyArray['dtype']>> = {
  i1: 'int8',
  u1: 'uint8',
  b1: 'bool',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  f4: 'float32',
  f8: 'float64',
};

/**
 * @param origin names the file in diagnostics
 * @throws RivuletError RV3002 if it is not such a file, is cut short, or has another kind of element or order
 */
export function readNpy(bytes: Uint8Array, origin: string): NpyArray {
  const refuse = (message: string, hint = 'write it with numpy.save()'): never =>
    fail('RV3002', message, { origin, hint });
  const ascii = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  const major = bytes[6] ?? 0;
  if (ascii(0, 6) !== MAGIC || bytes.length < 12 || major < 1 || major > 3)
    refuse('the file is not an .npy file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = major === 1 ? 10 : 12;
  const end = start + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  // A header is some hundred bytes; the limit keeps a hostile length from becoming a huge string.
  if (end > bytes.length || end - start > 65536) refuse('the header of the .npy file is cut short');
  const header = ascii(start, end);
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? refuse('the .npy file has no plain element type');
  const dims = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1] ?? refuse('the .npy file has no shape');
  const shape = dims.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)]));
  if (/'fortran_order':\s*True/.test(header) && shape.filter((size) => size > 1).length > 1) {
    refuse('the array is in Fortran order', 'save numpy.ascontiguousarray(x)');
  }
  const dtype =
    (/^[<|]/.test(descr) ? TYPES[descr.slice(1)] : undefined) ??
    refuse(
      `elements of type ${descr} cannot be read`,
      'save a little-endian array of int8, uint8 or float32',
    );
  const data = bytes.subarray(end);
  const needed = elementCount(shape) * (dtype === 'float64' ? 8 : DTYPES[dtype].bytes);
  if (data.length !== needed) {
    refuse(
      `the .npy file has ${data.length} bytes of data where [${shape.join(', ')}] ${dtype} takes ${needed}`,
    );
  }
  if (dtype !== 'float64') return { shape, dtype, data: fromBytes(dtype, data) };
  return { shape, dtype, data: new Float64Array(data.slice().buffer) };
}
