/** The reader against its writer, against files built byte by byte, and against damaged ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RivuletError } from '../../src/core/diagnostics.ts';
import { SAFE_DTYPES, type SafeDType, type SafeTensor } from '../../src/formats/safetensors/model.ts';
import { readSafetensors } from '../../src/formats/safetensors/reader.ts';
import { writeSafetensors } from '../../src/formats/safetensors/writer.ts';
import { mutations } from '../support/mutate.ts';

/** A file with this header and `dataBytes` of elements. */
function file(header: unknown, dataBytes = 0, headerBytes?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, headerBytes ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (begin: number, end: number, more: object = {}) => ({
  dtype: 'I8',
  shape: [end - begin],
  data_offsets: [begin, end],
  ...more,
});

const tensor = fc
  .tuple(fc.constantFrom(...(Object.keys(SAFE_DTYPES) as SafeDType[])), fc.array(fc.nat(3), { maxLength: 4 }))
  .chain(([dtype, shape]) => {
    const length = shape.reduce((product, size) => product * size, SAFE_DTYPES[dtype].bytes);
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((bytes): SafeTensor => ({ dtype, shape, bytes }));
  });

describe('what is written', () => {
  it('is read again, aligned', () => {
    const name = fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => text !== '__metadata__');
    const texts = fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, tensor), { maxLength: 8 }), texts, (entries, metadata) => {
        const given = { tensors: new Map(entries), metadata: new Map(Object.entries(metadata)) };
        const bytes = writeSafetensors(given);
        const read = readSafetensors(bytes, 'x');
        expect(new Map(read.tensors)).toEqual(given.tensors);
        expect(new Map(read.metadata)).toEqual(given.metadata);
        for (const { dtype, bytes: data } of read.tensors.values()) {
          expect(data.byteOffset % SAFE_DTYPES[dtype].bytes).toBe(0);
        }
      }),
    );
  });

  it('has the bytes that the format prescribes', () => {
    const bytes = writeSafetensors({
      tensors: new Map([['w', { dtype: 'I8', shape: [2], bytes: Uint8Array.of(1, 255) }]]),
      metadata: new Map(),
    });
    const header = '{"w":{"dtype":"I8","shape":[2],"data_offsets":[0,2]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
    expect([...bytes]).toEqual([
      padded.length,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      ...new TextEncoder().encode(padded),
      1,
      255,
    ]);
  });

  it('is refused if a tensor has too few bytes', () => {
    const tensors = new Map([['w', { dtype: 'I32', shape: [2], bytes: new Uint8Array(7) } as const]]);
    expect(() => writeSafetensors({ tensors, metadata: new Map() })).toThrow(RangeError);
  });
});

describe('a file', () => {
  const cases: [what: string, code: string, says: string, bytes: Uint8Array][] = [
    ['empty', 'RV1007', '0 bytes', new Uint8Array()],
    ['a text', 'RV1007', 'begin with "{"', new TextEncoder().encode('hello, this is no file')],
    ['with a header beyond its end', 'RV1002', 'the header takes', file({}, 0, 3n)],
    ['with a header of exabytes', 'RV1002', 'the header takes', file({}, 0, 2n ** 63n)],
    ['with a long header', 'RV1003', 'bytes of JSON', file(`{${' '.repeat(1 << 20)}}`)],
    ['with a header that is not JSON', 'RV1007', 'not JSON', file('{"w": }')],
    ['with a header that is not UTF-8', 'RV1007', 'not JSON', file({ w: 1 }).fill(0xff, 9, 12)],
    [
      'with nested brackets',
      'RV1007',
      'where an object belongs',
      file(`{"w":${'['.repeat(1e5)}${']'.repeat(1e5)}}`),
    ],
    ['with an unknown element type', 'RV1005', 'I7', file({ w: entry(0, 1, { dtype: 'I7' }) }, 1)],
    [
      'with an inherited element type',
      'RV1005',
      'toString',
      file({ w: entry(0, 1, { dtype: 'toString' }) }, 1),
    ],
    ['with a negative size', 'RV1007', 'integers', file({ w: entry(0, 1, { shape: [-1] }) }, 1)],
    ['with a fractional size', 'RV1007', 'integers', file({ w: entry(0, 1, { shape: [0.5] }) }, 1)],
    ['with one offset', 'RV1007', '2 integers', file({ w: entry(0, 1, { data_offsets: [0] }) }, 1)],
    ['with a tensor beyond its end', 'RV1002', 'ends at byte 9', file({ w: entry(0, 9) }, 8)],
    [
      'with a tensor that ends before it begins',
      'RV1003',
      'takes',
      file({ w: entry(4, 0, { shape: [4] }) }, 8),
    ],
    [
      'with a tensor larger than its bytes',
      'RV1003',
      'takes 16',
      file({ w: entry(0, 4, { shape: [4, 4] }) }, 4),
    ],
    [
      'with a shape that overflows',
      'RV1003',
      'takes',
      file({ w: entry(0, 0, { shape: [...Array(30).fill(2 ** 52), 0] }) }),
    ],
    ['with overlapping tensors', 'RV1003', 'inside another', file({ a: entry(0, 4), b: entry(3, 8) }, 8)],
    ['with a tensor in another', 'RV1003', 'inside another', file({ a: entry(0, 8), b: entry(2, 4) }, 8)],
    ['with the same bytes twice', 'RV1003', 'inside another', file({ a: entry(0, 8), b: entry(0, 8) }, 8)],
    ['with a gap', 'RV1003', 'belong to no tensor', file({ a: entry(0, 3), b: entry(4, 8) }, 8)],
    ['with bytes behind', 'RV1003', 'last 1 bytes', file({ a: entry(0, 7) }, 8)],
    [
      'with a tensor twice',
      'RV1003',
      'belong to no',
      file(
        '{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"I8","shape":[1],"data_offsets":[1,2]}}',
        2,
      ),
    ],
    ['with numbers as metadata', 'RV1007', 'a text', file({ __metadata__: { version: 1 } })],
  ];
  it.each(cases)('%s is %s', (_, code, says, bytes) => {
    expect(diagnosticsOf(bytes)).toEqual([
      expect.objectContaining({ code, message: expect.stringContaining(says), origin: expect.any(String) }),
    ]);
  });

  it('is read or refused whatever happens to it, at once', () => {
    const tensors = new Map<string, SafeTensor>(
      Array.from({ length: 9 }, (_, i) => [
        `t${i}`,
        { dtype: 'I16', shape: [i, 3], bytes: new Uint8Array(6 * i) },
      ]),
    );
    const bytes = writeSafetensors({ tensors, metadata: new Map([['a', 'b']]) });
    let refused = 0;
    for (const { description, bytes: damaged } of mutations(bytes, 3, 5000)) {
      const start = performance.now();
      refused += diagnosticsOf(damaged, description).length;
      expect(performance.now() - start, description).toBeLessThan(1000);
    }
    expect(refused).toBeGreaterThan(2500);
    for (let length = 0; length < bytes.length; ++length) {
      expect(diagnosticsOf(bytes.subarray(0, length)), `${length} bytes`).toHaveLength(1);
    }
  });
});

function diagnosticsOf(bytes: Uint8Array, description = ''): RivuletError['diagnostics'] {
  try {
    readSafetensors(bytes, 'net.safetensors');
    return [];
  } catch (error) {
    if (error instanceof RivuletError) return error.diagnostics;
    throw new Error(description, { cause: error });
  }
}
