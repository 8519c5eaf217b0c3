import { METADATA, PREFIX, SAFE_DTYPES, type SafeTensors } from './model.ts';

/** Where tensors of any element type may begin. */
const ALIGNMENT = 8;

/**
 * The bytes of a safetensors file. Tensors of large elements go first and others in the order of their names, so that each
 * is aligned; the header ends with spaces for the same reason.
 * @throws RangeError if the bytes of a tensor do not fill its shape, or a tensor has the name of the metadata
 */
export function writeSafetensors({ tensors, metadata }: SafeTensors): Uint8Array {
  const sorted = [...tensors].sort(
    ([a, { dtype: s }], [b, { dtype: t }]) =>
      SAFE_DTYPES[t].bytes - SAFE_DTYPES[s].bytes || (a < b ? -1 : Number(a > b)),
  );
  const header = new Map<string, unknown>();
  if (metadata.size > 0) header.set(METADATA, Object.fromEntries(metadata));
  let end = 0;
  for (const [name, { dtype, shape, bytes }] of sorted) {
    const needed = shape.reduce((product, size) => product * size, SAFE_DTYPES[dtype].bytes);
    if (bytes.length !== needed || name === METADATA) {
      throw new RangeError(`tensor "${name}" of [${shape}] ${dtype} cannot have ${bytes.length} bytes`);
    }
    header.set(name, { dtype, shape, data_offsets: [end, end + bytes.length] });
    end += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  const file = new Uint8Array(PREFIX + headerBytes + end).fill(0x20, 0, PREFIX + headerBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(text, PREFIX);
  let at = PREFIX + headerBytes;
  for (const [, { bytes }] of sorted) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}
