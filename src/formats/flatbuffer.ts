import { type DiagnosticDetail, fail } from '../core/diagnostics.ts';

/** A file without shared parts is visited once; some writers share tables, strings and shapes. */
const VISITS = 2;
/** What a small file may visit in any case. */
const FREE_BYTES = 65536;
/** Charged for each table besides its fields: an empty table takes 4 bytes of the file, its object a hundred. */
const TABLE_COST = 48;

/**
 * Reads FlatBuffers that may be hostile. Every offset, virtual table and length is checked before it is used, and all
 * reads together may visit only a fixed multiple of the file: offsets may alias, so a small file could otherwise unfold
 * into an object graph of any size. Nothing relies on alignment.
 *
 * Errors: RV1002 an offset leaves the file, RV1003 a size is impossible.
 */
export class FlatFile {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly name: string;
  #budget: number;

  constructor(bytes: Uint8Array, name: string) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.name = name;
    this.#budget = VISITS * bytes.length + FREE_BYTES;
  }

  /** The four characters at bytes 4 to 7, fewer if the file is shorter. */
  get identifier(): string {
    return String.fromCharCode(...this.bytes.subarray(4, 8));
  }

  root(label: string): FlatTable {
    this.require(0, 8, 'the header');
    return new FlatTable(this, this.view.getUint32(0, true), label);
  }

  /** `size` bytes at `offset` from the start of the file, not copied. Their content is not visited. */
  slice(offset: number, size: number, label: string): Uint8Array {
    this.require(offset, size, label);
    return this.bytes.subarray(offset, offset + size);
  }

  /** Fails unless `size` bytes from `position` lie in the file. */
  require(position: number, size: number, label: string): void {
    if (position < 0 || size > this.bytes.length - position) {
      fail(
        'RV1002',
        `${size} bytes are expected at ${position}, but the file has ${this.bytes.length}`,
        this.at(label, position),
      );
    }
  }

  /** Accounts for `size` bytes about to be turned into objects, and for `overhead`: the cost of the object itself. */
  visit(position: number, size: number, label: string, overhead = 0): void {
    this.require(position, size, label);
    this.#budget -= size + overhead;
    if (this.#budget < 0) {
      fail('RV1003', 'the parts of the file add up to more than the file holds', this.at(label, position));
    }
  }

  at(label: string, position: number): DiagnosticDetail {
    return { origin: `${this.name}: ${label} at byte ${position}` };
  }
}

/** A checked view of one table. Fields are named by their slot; each read returns the fallback where the slot is empty. */
export class FlatTable {
  readonly #file: FlatFile;
  readonly #position: number;
  readonly #label: string;
  readonly #vtable: number;
  readonly #vtableSize: number;
  readonly #size: number;

  constructor(file: FlatFile, position: number, label: string) {
    this.#file = file;
    this.#position = position;
    this.#label = label;
    file.require(position, 4, label);
    this.#vtable = position - file.view.getInt32(position, true);
    file.require(this.#vtable, 4, `the virtual table of ${label}`);
    this.#vtableSize = file.view.getUint16(this.#vtable, true);
    this.#size = file.view.getUint16(this.#vtable + 2, true);
    file.require(this.#vtable, this.#vtableSize, `the virtual table of ${label}`);
    if (this.#vtableSize < 4 || this.#size < 4)
      fail('RV1003', 'a table is smaller than its header', this.origin);
    file.visit(position, this.#size, label, TABLE_COST);
  }

  get origin(): DiagnosticDetail {
    return this.#file.at(this.#label, this.#position);
  }

  get label(): string {
    return this.#label;
  }

  has(slot: number): boolean {
    return this.#field(slot, 0) !== undefined;
  }

  bool(slot: number, fallback = false): boolean {
    const at = this.#field(slot, 1);
    return at === undefined ? fallback : this.#file.view.getUint8(at) !== 0;
  }

  uint8(slot: number, fallback = 0): number {
    const at = this.#field(slot, 1);
    return at === undefined ? fallback : this.#file.view.getUint8(at);
  }

  int8(slot: number, fallback = 0): number {
    const at = this.#field(slot, 1);
    return at === undefined ? fallback : this.#file.view.getInt8(at);
  }

  int32(slot: number, fallback = 0): number {
    const at = this.#field(slot, 4);
    return at === undefined ? fallback : this.#file.view.getInt32(at, true);
  }

  uint32(slot: number, fallback = 0): number {
    const at = this.#field(slot, 4);
    return at === undefined ? fallback : this.#file.view.getUint32(at, true);
  }

  float32(slot: number, fallback = 0): number {
    const at = this.#field(slot, 4);
    return at === undefined ? fallback : this.#file.view.getFloat32(at, true);
  }

  /** As a number: every offset or size that can be right is a safe integer, and the others are larger than any file. */
  uint64(slot: number): number {
    const at = this.#field(slot, 8);
    return at === undefined ? 0 : Number(this.#file.view.getBigUint64(at, true));
  }

  table(slot: number, label: string): FlatTable | undefined {
    const at = this.#field(slot, 4);
    return at === undefined
      ? undefined
      : new FlatTable(this.#file, this.#follow(at), `${this.#label}.${label}`);
  }

  /** The tables of a vector, called `label[0]`, `label[1]`, ... in diagnostics. */
  tables(slot: number, label: string): FlatTable[] {
    const vector = this.#vector(slot, 4);
    const tables: FlatTable[] = [];
    for (let i = 0; i < vector.length; ++i) {
      const target = this.#follow(vector.start + 4 * i);
      tables.push(new FlatTable(this.#file, target, `${this.#label}.${label}[${i}]`));
    }
    return tables;
  }

  /** UTF-8; bytes that are none become U+FFFD. */
  string(slot: number, fallback = ''): string {
    if (!this.has(slot)) return fallback;
    const { start, length } = this.#vector(slot, 1);
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
      this.#file.bytes.subarray(start, start + length),
    );
  }

  int32s(slot: number): number[] {
    const { start, length } = this.#vector(slot, 4);
    return Array.from({ length }, (_, i) => this.#file.view.getInt32(start + 4 * i, true));
  }

  float32s(slot: number): number[] {
    const { start, length } = this.#vector(slot, 4);
    return Array.from({ length }, (_, i) => this.#file.view.getFloat32(start + 4 * i, true));
  }

  int64s(slot: number): bigint[] {
    const { start, length } = this.#vector(slot, 8);
    return Array.from({ length }, (_, i) => this.#file.view.getBigInt64(start + 8 * i, true));
  }

  /** A vector of bytes, not copied. */
  bytes(slot: number): Uint8Array {
    const at = this.#field(slot, 4);
    if (at === undefined) return this.#file.bytes.subarray(0, 0);
    const start = this.#follow(at);
    this.#file.require(start, 4, this.#label);
    return this.#file.slice(start + 4, this.#file.view.getUint32(start, true), this.#label);
  }

  /** Position of the field in `slot`; undefined when it is absent. */
  #field(slot: number, size: number): number | undefined {
    const entry = 4 + 2 * slot;
    if (entry + 2 > this.#vtableSize) return undefined;
    const offset = this.#file.view.getUint16(this.#vtable + entry, true);
    if (offset === 0) return undefined;
    if (offset + size > this.#size) {
      fail('RV1002', `field ${slot} lies outside its table of ${this.#size} bytes`, this.origin);
    }
    return this.#position + offset;
  }

  /** The position that the reference at `at` points to. */
  #follow(at: number): number {
    return at + this.#file.view.getUint32(at, true);
  }

  /** The elements of a vector field, bounds checked and accounted for; empty when the field is absent. */
  #vector(slot: number, elementSize: number): { readonly start: number; readonly length: number } {
    const at = this.#field(slot, 4);
    if (at === undefined) return { start: 0, length: 0 };
    const position = this.#follow(at);
    this.#file.require(position, 4, this.#label);
    const length = this.#file.view.getUint32(position, true);
    this.#file.visit(position + 4, length * elementSize, this.#label);
    return { start: position + 4, length };
  }
}
