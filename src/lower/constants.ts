import { asBytes, type TypedArray } from '../core/dtype.ts';
import { fnv1a } from '../core/random.ts';
import type { Constant, ConstantId } from '../program/types.ts';

/** Constants of a program; equal bytes of the same element type are stored once. */
export class ConstantPool {
  private readonly constants: Constant[] = [];
  private readonly byFingerprint = new Map<string, Constant[]>();

  add(data: TypedArray, role: Constant['role']): ConstantId {
    const bytes = asBytes(data);
    const key = `${data.constructor.name}:${bytes.length}:${fnv1a(bytes)}`;
    const candidates = this.byFingerprint.get(key) ?? [];
    const known = candidates.find((constant) => sameBytes(asBytes(constant.data), bytes));
    if (known !== undefined) return known.id;
    const constant = { id: this.constants.length, data, role };
    this.constants.push(constant);
    this.byFingerprint.set(key, [...candidates, constant]);
    return constant.id;
  }

  all(): readonly Constant[] {
    return this.constants;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
