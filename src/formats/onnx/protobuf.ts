/** Protocol Buffers' wire format, as far as a file needs it: fields by number, read where they lie. */
import { fail } from '../../core/diagnostics.ts';

/** A field as it lies in the message. */
export type WireField =
  | { readonly wire: 'varint'; readonly value: bigint }
  | { readonly wire: 'bytes'; readonly value: Uint8Array }
  | { readonly wire: 'fixed32' | 'fixed64'; readonly value: DataView };

/** A message: its fields by number, each in the order of the file. Unknown ones do no harm. */
export class WireMessage {
  private readonly fields = new Map<number, WireField[]>();
  readonly origin: string;

  /** @throws RivuletError RV1002 for a field that reaches beyond the message, RV1009 for what is no message */
  constructor(bytes: Uint8Array, origin: string) {
    this.origin = origin;
    const reader = new WireReader(bytes, origin);
    while (!reader.atEnd) {
      const { number, field } = reader.field();
      const known = this.fields.get(number);
      if (known === undefined) this.fields.set(number, [field]);
      else known.push(field);
    }
  }

  has(number: number): boolean {
    return this.fields.has(number);
  }

  /** The last value, as proto says; 0 if there is none. */
  integer(number: number): number {
    return this.integers(number).at(-1) ?? 0;
  }

  /** A repeated int64, packed or not. RV1003 for numbers that float64 cannot hold. */
  integers(number: number): number[] {
    return this.all(number).flatMap((field) => {
      if (field.wire === 'varint') return [this.safe(field.value)];
      const values: number[] = [];
      const reader = new WireReader(this.bytesOf(field, number), this.origin);
      while (!reader.atEnd) values.push(this.safe(reader.varint()));
      return values;
    });
  }

  /** A repeated float, packed or not. */
  floats(number: number): number[] {
    return this.all(number).flatMap((field) => {
      if (field.wire === 'fixed32') return [field.value.getFloat32(0, true)];
      const bytes = this.bytesOf(field, number);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      return Array.from({ length: bytes.length >> 2 }, (_, i) => view.getFloat32(4 * i, true));
    });
  }

  /** The last value; undefined if there is none. */
  bytes(number: number): Uint8Array | undefined {
    const field = this.all(number).at(-1);
    return field === undefined ? undefined : this.bytesOf(field, number);
  }

  /** Empty if there is none; bytes that are no UTF-8 are replaced. */
  text(number: number): string {
    const bytes = this.bytes(number);
    return bytes === undefined ? '' : new TextDecoder().decode(bytes);
  }

  texts(number: number): string[] {
    return this.all(number).map((field) => new TextDecoder().decode(this.bytesOf(field, number)));
  }

  messages(number: number): WireMessage[] {
    return this.all(number).map((field) => new WireMessage(this.bytesOf(field, number), this.origin));
  }

  message(number: number): WireMessage | undefined {
    const bytes = this.bytes(number);
    return bytes === undefined ? undefined : new WireMessage(bytes, this.origin);
  }

  private all(number: number): readonly WireField[] {
    return this.fields.get(number) ?? [];
  }

  private bytesOf(field: WireField, number: number): Uint8Array {
    if (field.wire === 'bytes') return field.value;
    return fail('RV1009', `field ${number} is a ${field.wire}, not bytes`, { origin: this.origin });
  }

  private safe(value: bigint): number {
    const signed = BigInt.asIntN(64, value);
    const number = Number(signed);
    // Exporters write the largest int64 where they mean `to the end`.
    if (Number.isSafeInteger(number) || signed > 0x7fff_ffff_ffff_0000n) return number;
    return fail('RV1003', `the number ${signed} cannot be right`, { origin: this.origin });
  }
}

class WireReader {
  private at = 0;
  private readonly bytes: Uint8Array;
  private readonly origin: string;

  constructor(bytes: Uint8Array, origin: string) {
    this.bytes = bytes;
    this.origin = origin;
  }

  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  field(): { readonly number: number; readonly field: WireField } {
    const tag = this.varint();
    const number = Number(tag >> 3n);
    if (number < 1 || number > 0x1fff_ffff) this.refuse(`there is no field ${number}`);
    switch (Number(tag & 7n)) {
      case 0:
        return { number, field: { wire: 'varint', value: this.varint() } };
      case 1:
        return { number, field: { wire: 'fixed64', value: this.view(8) } };
      case 2:
        return { number, field: { wire: 'bytes', value: this.take(Number(this.varint())) } };
      case 5:
        return { number, field: { wire: 'fixed32', value: this.view(4) } };
      default:
        return this.refuse(`field ${number} has the wire type ${tag & 7n}`);
    }
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.at++] ?? this.truncated(1);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    return this.refuse('a number has more than ten bytes');
  }

  private take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) this.truncated(length);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  private view(length: number): DataView {
    const bytes = this.take(length);
    return new DataView(bytes.buffer, bytes.byteOffset, length);
  }

  private truncated(length: number): never {
    fail('RV1002', `${length} bytes are expected at ${this.at} of a message of ${this.bytes.length}`, {
      origin: this.origin,
    });
  }

  private refuse(message: string): never {
    fail('RV1009', message, { origin: this.origin, hint: 'the file is expected to be an ONNX model' });
  }
}
