/**
 * A second, independent look at a TFLite file: its own schema, its own way through the bytes, and none of the reader's
 * code. It reports everything that breaks the rules of FlatBuffers, alignment above all, which the reader does not need.
 */
export interface FlatReport {
  readonly faults: readonly string[];
  /** How many tables of each type the file has. */
  readonly tables: Readonly<Record<string, number>>;
  /** [8-bit code, 32-bit code] of each operator code. */
  readonly operatorCodes: readonly (readonly [number, number])[];
}

/** Field types by slot: bytes of a scalar, or what a reference leads to. */
type FieldType = 1 | 4 | 8 | 'string' | `[${1 | 4 | 8}]` | 'data' | `[${TableName}]` | TableName;
type TableName = keyof typeof SLOTS | 'Options';

const SLOTS = {
  Model: {
    0: 4,
    1: '[OperatorCode]',
    2: '[SubGraph]',
    3: 'string',
    4: '[Buffer]',
    6: '[Metadata]',
    7: '[Signature]',
  },
  OperatorCode: { 0: 1, 1: 'string', 2: 4, 3: 4 },
  SubGraph: { 0: '[Tensor]', 1: '[4]', 2: '[4]', 3: '[Operator]', 4: 'string' },
  Tensor: { 0: '[4]', 1: 1, 2: 4, 3: 'string', 4: 'Quantization', 5: 1, 7: '[4]' },
  Quantization: { 0: '[4]', 1: '[4]', 2: '[4]', 3: '[8]', 4: 1, 6: 4 },
  Buffer: { 0: 'data' },
  Operator: { 0: 4, 1: '[4]', 2: '[4]', 3: 1, 4: 'Options', 5: '[1]', 8: '[4]' },
  Metadata: { 0: 'string', 1: 4 },
  Signature: { 0: '[TensorMap]', 1: '[TensorMap]', 2: 'string', 4: 4 },
  TensorMap: { 0: 'string', 1: 4 },
} as const satisfies Readonly<Record<string, Readonly<Record<number, unknown>>>>;

export function inspectFlatFile(bytes: Uint8Array): FlatReport {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const faults: string[] = [];
  const tables: Record<string, number> = {};
  const operatorCodes: [number, number][] = [];
  const covered = new Uint8Array(bytes.length);
  const expect = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault);
  };
  const cover = (at: number, size: number, what: string) => {
    expect(at + size <= bytes.length, `${what} at ${at} ends outside the file`);
    expect(!covered.subarray(at, at + size).includes(1), `${what} at ${at} overlaps another part`);
    covered.fill(1, at, at + size);
  };

  const vector = (at: number, size: number, alignment: number, what: string) => {
    expect(at % 4 === 0, `the length of ${what} at ${at} is not aligned`);
    expect((at + 4) % alignment === 0, `the elements of ${what} at ${at} are not aligned to ${alignment}`);
    cover(at, 4 + size * view.getUint32(at, true), what);
  };

  const reference = (at: number, type: FieldType, what: string): void => {
    const target = at + view.getUint32(at, true);
    if (type === 'string') {
      vector(target, 1, 1, what);
      cover(target + 4 + view.getUint32(target, true), 1, `the end of ${what}`);
      expect(bytes[target + 4 + view.getUint32(target, true)] === 0, `${what} does not end with 0`);
    } else if (type === 'data') vector(target, 1, 16, what);
    else if (type === '[1]') vector(target, 1, 1, what);
    else if (type === '[4]') vector(target, 4, 4, what);
    else if (type === '[8]') vector(target, 8, 8, what);
    else if (typeof type === 'string' && type.startsWith('[')) {
      vector(target, 4, 4, what);
      for (let i = 0; i < view.getUint32(target, true); ++i) {
        table(target + 4 + 4 * i, type.slice(1, -1) as TableName);
      }
    } else table(at, type as TableName);
  };

  const table = (at: number, name: TableName) => {
    const position = at + view.getUint32(at, true);
    const vtable = position - view.getInt32(position, true);
    const vtableSize = view.getUint16(vtable, true);
    expect(
      position % 4 === 0 && vtable % 2 === 0 && vtableSize % 2 === 0,
      `${name} at ${position} is not aligned`,
    );
    cover(position, view.getUint16(vtable + 2, true), name);
    tables[name] = (tables[name] ?? 0) + 1;
    const fieldAt = (slot: number) => position + view.getUint16(vtable + 4 + 2 * slot, true);
    if (name === 'OperatorCode')
      operatorCodes.push([view.getInt8(fieldAt(0)), view.getInt32(fieldAt(3), true)]);
    if (name === 'Options') return;
    const types: Readonly<Record<number, FieldType>> = SLOTS[name];
    for (let slot = 0; 4 + 2 * slot < vtableSize; ++slot) {
      const field = fieldAt(slot);
      if (field === position) continue;
      const type = types[slot];
      if (type === undefined) faults.push(`${name} has an unknown field ${slot}`);
      else if (typeof type === 'number')
        expect(field % type === 0, `${name}.${slot} at ${field} is not aligned`);
      else {
        expect(field % 4 === 0, `${name}.${slot} at ${field} is not aligned`);
        reference(field, type, `${name}.${slot}`);
      }
    }
  };

  expect(String.fromCharCode(...bytes.subarray(4, 8)) === 'TFL3', 'the identifier is missing');
  table(0, 'Model');
  return { faults, tables, operatorCodes };
}
