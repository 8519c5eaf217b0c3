/** JSON that may be hostile, read field by field: what is missing or of the wrong kind is named with its place. */
import { type DiagnosticCode, fail } from '../core/diagnostics.ts';

/** How a format speaks of its JSON. */
export interface JsonDialect {
  /** For text that is not JSON, and for fields that are missing or of the wrong kind. */
  readonly code: DiagnosticCode;
  /** Longest text in bytes. Parsed JSON takes some ten times its text, more if it is written to. */
  readonly maxBytes: number;
}

/**
 * Parses UTF-8 text that must hold one object.
 * @param origin names the text in diagnostics
 * @throws RivuletError RV1003 if it is too long, the dialect's code if it is not a JSON object
 */
export function parseJsonObject(bytes: Uint8Array, dialect: JsonDialect, origin: string): JsonObject {
  if (bytes.length > dialect.maxBytes) {
    fail('RV1003', `${bytes.length} bytes of JSON, at most ${dialect.maxBytes} are read`, { origin });
  }
  return JsonObject.from(parse(bytes, dialect, origin), dialect, origin);
}

function parse(bytes: Uint8Array, { code }: JsonDialect, origin: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return fail(code, `the text is not JSON: ${(error as Error).message.slice(0, 120)}`, { origin });
  }
}

/** An object of the file. Every reading throws the dialect's diagnostic if the field is not what it should be. */
export class JsonObject {
  /** Where the object stands, e.g. `net.json: ops[3]`. */
  readonly origin: string;
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #dialect: JsonDialect;

  private constructor(fields: ReadonlyMap<string, unknown>, dialect: JsonDialect, origin: string) {
    this.#fields = fields;
    this.#dialect = dialect;
    this.origin = origin;
  }

  static from(value: unknown, dialect: JsonDialect, origin: string): JsonObject {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      fail(dialect.code, `${describe(value)} where an object belongs`, { origin });
    }
    return new JsonObject(new Map(Object.entries(value)), dialect, origin);
  }

  keys(): string[] {
    return [...this.#fields.keys()];
  }

  has(key: string): boolean {
    return this.#fields.has(key);
  }

  isNull(key: string): boolean {
    return this.#fields.get(key) === null;
  }

  text(key: string): string {
    return this.#read(key, 'a text', (value) => typeof value === 'string');
  }

  /** A finite number: JSON has no others. */
  number(key: string): number {
    return this.#read(key, 'a finite number', isFiniteNumber);
  }

  boolean(key: string): boolean {
    return this.#read(key, 'true or false', (value) => typeof value === 'boolean');
  }

  /** An integer from `lowest` to `highest`. */
  integer(key: string, lowest: number, highest: number): number {
    return this.#read(key, `an integer from ${lowest} to ${highest}`, (value): value is number =>
      isInteger(value, lowest, highest),
    );
  }

  /** As many integers from `lowest` to `highest` as there are; `count` of them if that is given. */
  integers(key: string, lowest: number, highest: number, count?: number): readonly number[] {
    const what = `${count ?? 'a list of'} integers from ${lowest} to ${highest}`;
    return this.#read(
      key,
      what,
      (value): value is number[] =>
        isList(value, count) && value.every((item) => isInteger(item, lowest, highest)),
    );
  }

  /** As many as there are; `count` of them if that is given. */
  numbers(key: string, count?: number): readonly number[] {
    return this.#read(
      key,
      `${count ?? 'a list of'} finite numbers`,
      (value): value is number[] => isList(value, count) && value.every(isFiniteNumber),
    );
  }

  texts(key: string, count: number): readonly string[] {
    return this.#read(
      key,
      `${count} texts`,
      (value): value is string[] => isList(value, count) && value.every((item) => typeof item === 'string'),
    );
  }

  object(key: string): JsonObject {
    const value = this.#read(key, 'an object', (item): item is unknown => item !== undefined);
    return JsonObject.from(value, this.#dialect, this.#place(key));
  }

  /** An object, or null where the field is null. */
  objectOrNull(key: string): JsonObject | null {
    return this.isNull(key) ? null : this.object(key);
  }

  objects(key: string): JsonObject[] {
    const items = this.#read(key, 'a list of objects', (value): value is unknown[] => isList(value));
    return items.map((item, i) => JsonObject.from(item, this.#dialect, `${this.#place(key)}[${i}]`));
  }

  /** Refuses the object for what one of its fields says. */
  refuse(key: string, message: string, code: DiagnosticCode = this.#dialect.code): never {
    return fail(code, message, { origin: this.#place(key) });
  }

  #read<T>(key: string, what: string, is: (value: unknown) => value is T): T {
    const value = this.#fields.get(key);
    return is(value) ? value : this.refuse(key, `${describe(value)} where ${what} belongs`);
  }

  #place(key: string): string {
    return `${this.origin}${this.origin.includes(': ') ? '.' : ': '}${key}`;
  }
}

function isList(value: unknown, count?: number): value is unknown[] {
  return Array.isArray(value) && (count === undefined || value.length === count);
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isInteger(value: unknown, lowest: number, highest: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= lowest && (value as number) <= highest;
}

/** What a value is, in few words. */
function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' && value !== null
    ? 'an object'
    : String(JSON.stringify(value)).slice(0, 40);
}
