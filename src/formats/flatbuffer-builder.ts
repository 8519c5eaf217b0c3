/**
 * Writes FlatBuffers from a tree of values. The layout runs forward: each table is followed by what it refers to, depth
 * first in slot order, so equal trees give equal bytes. Every scalar and vector is naturally aligned from the file start.
 */
export type FlatValue =
  | FlatScalar
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array; readonly alignment: number }
  | { readonly kind: 'vector'; readonly type: ScalarType; readonly values: readonly number[] }
  | { readonly kind: 'table'; readonly fields: FlatFields }
  | { readonly kind: 'list'; readonly items: readonly FlatValue[] };

interface FlatScalar {
  readonly kind: 'scalar';
  readonly type: ScalarType;
  readonly value: number;
}

/** Values by slot; a slot that is missing or undefined is absent from the file. */
export interface FlatFields {
  readonly [slot: number]: FlatValue | undefined;
}

type ScalarType = keyof typeof SCALARS;

const SCALARS = {
  int8: { size: 1, put: (view: DataView, at: number, value: number) => view.setInt8(at, value) },
  uint8: { size: 1, put: (view: DataView, at: number, value: number) => view.setUint8(at, value) },
  int32: { size: 4, put: (view: DataView, at: number, value: number) => view.setInt32(at, value, true) },
  uint32: { size: 4, put: (view: DataView, at: number, value: number) => view.setUint32(at, value, true) },
  float32: { size: 4, put: (view: DataView, at: number, value: number) => view.setFloat32(at, value, true) },
  int64: {
    size: 8,
    put: (view: DataView, at: number, value: number) => view.setBigInt64(at, BigInt(value), true),
  },
} as const;

const scalar =
  (type: ScalarType) =>
  (value: number): FlatScalar => ({ kind: 'scalar', type, value });
const vector =
  (type: ScalarType) =>
  (values: readonly number[]): FlatValue => ({ kind: 'vector', type, values });

/** Constructors of the tree. */
export const flat = {
  int8: scalar('int8'),
  uint8: scalar('uint8'),
  int32: scalar('int32'),
  uint32: scalar('uint32'),
  float32: scalar('float32'),
  bool: (value: boolean): FlatScalar => ({ kind: 'scalar', type: 'uint8', value: value ? 1 : 0 }),
  int32s: vector('int32'),
  float32s: vector('float32'),
  int64s: vector('int64'),
  string: (value: string): FlatValue => ({ kind: 'string', value }),
  /** A vector of bytes whose first byte lies at a multiple of `alignment` from the file start. */
  bytes: (value: Uint8Array, alignment = 4): FlatValue => ({ kind: 'bytes', value, alignment }),
  table: (fields: FlatFields): FlatValue => ({ kind: 'table', fields }),
  list: (items: readonly FlatValue[]): FlatValue => ({ kind: 'list', items }),
};

/** The file whose root table has these fields; `identifier` is four ASCII characters. */
export function buildFlatFile(root: FlatFields, identifier: string): Uint8Array {
  const builder = new Builder();
  builder.reserve(8, 4);
  for (let i = 0; i < 4; ++i) builder.put('uint8', 4 + i, identifier.charCodeAt(i));
  builder.refer(0, flat.table(root));
  return builder.finish();
}

class Builder {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;
  /** Position of each virtual table by its content: tables of one shape share it. */
  readonly #vtables = new Map<string, number>();

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  put(type: ScalarType, at: number, value: number): void {
    SCALARS[type].put(this.#view, at, value);
  }

  /** Appends `size` zero bytes after the padding that puts the byte `lead` bytes into them on a multiple of `alignment`. */
  reserve(size: number, alignment: number, lead = 0): number {
    const position = roundUp(this.#size + lead, alignment) - lead;
    this.#size = position + size;
    if (this.#size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#size, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return position;
  }

  /** Appends `value` and stores the reference to it at `at`. */
  refer(at: number, value: FlatValue): void {
    const target = this.#append(value);
    this.put('uint32', at, target - at);
  }

  #append(value: FlatValue): number {
    switch (value.kind) {
      case 'table':
        return this.#table(value.fields);
      case 'list':
        return this.#list(value.items);
      case 'vector':
        return this.#vector(value.type, value.values);
      case 'bytes':
        return this.#data(value.value, value.alignment, 0);
      case 'string':
        return this.#data(new TextEncoder().encode(value.value), 4, 1);
      case 'scalar':
        throw new TypeError('a scalar is stored in its table and has no reference');
    }
  }

  #table(fields: FlatFields): number {
    const present = Object.entries(fields).flatMap(([slot, value]) =>
      value === undefined ? [] : [{ slot: Number(slot), value, size: inlineSize(value), offset: 0 }],
    );
    // Largest first leaves no holes: the table header has 4 bytes, so the widest fields start right behind it.
    const bySize = present.toSorted((a, b) => b.size - a.size || a.slot - b.slot);
    let size = 4;
    for (const field of bySize) {
      field.offset = size;
      size += field.size;
    }
    const entries = new Array<number>(1 + Math.max(-1, ...present.map(({ slot }) => slot))).fill(0);
    for (const { slot, offset } of present) entries[slot] = offset;
    const vtable = this.#vtable([4 + 2 * entries.length, size, ...entries]);
    const position = this.reserve(size, Math.max(4, bySize[0]?.size ?? 0), 4);
    this.put('int32', position, position - vtable);
    for (const { value, offset } of present) {
      if (value.kind === 'scalar') this.put(value.type, position + offset, value.value);
    }
    for (const { value, offset } of present) {
      if (value.kind !== 'scalar') this.refer(position + offset, value);
    }
    return position;
  }

  #vtable(words: readonly number[]): number {
    const key = words.join();
    const known = this.#vtables.get(key);
    if (known !== undefined) return known;
    const position = this.reserve(2 * words.length, 2);
    words.forEach((word, i) => {
      this.#view.setUint16(position + 2 * i, word, true);
    });
    this.#vtables.set(key, position);
    return position;
  }

  #list(items: readonly FlatValue[]): number {
    const position = this.reserve(4 + 4 * items.length, 4);
    this.put('uint32', position, items.length);
    items.forEach((item, i) => {
      this.refer(position + 4 + 4 * i, item);
    });
    return position;
  }

  #vector(type: ScalarType, values: readonly number[]): number {
    const { size } = SCALARS[type];
    const position = this.reserve(4 + size * values.length, Math.max(4, size), 4);
    this.put('uint32', position, values.length);
    values.forEach((value, i) => {
      this.put(type, position + 4 + size * i, value);
    });
    return position;
  }

  /** A byte vector followed by `terminator` zero bytes that its length does not count. */
  #data(bytes: Uint8Array, alignment: number, terminator: number): number {
    const position = this.reserve(4 + bytes.length + terminator, alignment, 4);
    this.put('uint32', position, bytes.length);
    this.#bytes.set(bytes, position + 4);
    return position;
  }
}

/** Bytes a value takes in its table: a scalar itself, or the reference to anything else. */
function inlineSize(value: FlatValue): number {
  return value.kind === 'scalar' ? SCALARS[value.type].size : 4;
}

function roundUp(position: number, alignment: number): number {
  return Math.ceil(position / alignment) * alignment;
}
