/** Writes .npy files, as numpy.save() does. */
export function npyFile(
  descr: string,
  shape: readonly number[],
  data: ArrayBufferView,
  { version = 1, fortran = false }: { version?: 1 | 2; fortran?: boolean } = {},
): Uint8Array {
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${dims}), }`;
  const start = version === 1 ? 10 : 12;
  const padded = dict.padEnd(Math.ceil((start + dict.length + 1) / 64) * 64 - start - 1);
  const header = Buffer.from(`${padded}\n`, 'latin1');
  const head = Buffer.alloc(start);
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  if (version === 1) head.writeUInt16LE(header.length, 8);
  else head.writeUInt32LE(header.length, 8);
  return Buffer.concat([head, header, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}
