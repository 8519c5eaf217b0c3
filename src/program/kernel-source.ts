/**
 * Reads the C source of a row kernel: its two parameter structs and its function. The structs in the C file are the
 * only definition of a kernel's parameters; everything here follows them.
 */
import { fail } from '../core/diagnostics.ts';
import { SOURCES } from '../generated/sources.ts';

export interface KernelField {
  readonly name: string;
  /** `int32_t` in geometry; the element type behind the pointer in data. */
  readonly type: string;
}

export interface KernelSource {
  readonly name: string;
  /** The leading comment, without the delimiters. */
  readonly comment: string;
  readonly geometry: readonly KernelField[];
  /** Pointers to constants; empty when the kernel has no data struct. */
  readonly data: readonly KernelField[];
  /** The one header of runtime/ that it includes: rivulet.h, or that of an instruction set, which includes rivulet.h. */
  readonly header: string;
  /** The function from its opening brace to the closing one. */
  readonly body: string;
}

const cache = new Map<string, KernelSource>();

/** The kernel `name` (file `name.c`). Throws RV9003 when there is none or it is not of the kernel form. */
export function kernelSource(name: string): KernelSource {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const text = SOURCES[`${name}.c`];
  if (text === undefined) return fail('RV9003', `there is no kernel ${name}`);
  const parsed = parseKernel(name, text);
  cache.set(name, parsed);
  return parsed;
}

export function parseKernel(name: string, text: string): KernelSource {
  const comment = /^\/\*\n([\s\S]*?)\n ?\*\//.exec(text)?.[1] ?? '';
  const header = /^#include "(\w+\.h)"$/m.exec(text)?.[1];
  if (header === undefined) return fail('RV9003', `${name}.c includes no header of the runtime`);
  const signature = new RegExp(`^void rv_${name}\\([^)]*\\)\\n(\\{[\\s\\S]*?^\\})`, 'm').exec(text);
  if (signature === null) return fail('RV9003', `${name}.c does not define rv_${name}`);
  return {
    name,
    comment: comment.replace(/^ \* ?/gm, ''),
    geometry: fields(text, `rv_${name}_geometry`, /^ {4}(int32_t) (\w+);/),
    data: fields(text, `rv_${name}_data`, /^ {4}const (\w+) \*(\w+);/),
    header,
    body: signature[1]!,
  };
}

function fields(text: string, struct: string, line: RegExp): KernelField[] {
  const body = new RegExp(`typedef struct \\{\\n([^}]*)\\} ${struct};`).exec(text)?.[1];
  if (body === undefined) return [];
  return body
    .split('\n')
    .filter((text) => text.trim() !== '')
    .map((text) => {
      const match = line.exec(text);
      if (match === null) return fail('RV9003', `${struct}: "${text.trim()}" is not a kernel parameter`);
      return { type: match[1]!, name: match[2]! };
    });
}

/** Throws RV9003 unless `values` has exactly the fields of a kernel's struct. */
export function requireFields(
  kernel: string,
  fieldsOfStruct: readonly KernelField[],
  values: Readonly<Record<string, unknown>>,
): void {
  const wanted = fieldsOfStruct.map((field) => field.name);
  const missing = wanted.filter((name) => !(name in values));
  const unknown = Object.keys(values).filter((name) => !wanted.includes(name));
  if (missing.length > 0 || unknown.length > 0) {
    fail('RV9003', `${kernel}: missing [${missing}], unknown [${unknown}]`);
  }
}
