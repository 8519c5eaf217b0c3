/** IDX, CSV and NumPy arrays. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCsv } from '../../src/data/csv.ts';
import { openData } from '../../src/data/open.ts';
import { npyFile } from '../support/npy.ts';
import { DataFolder, idxFile, problemOf } from './files.ts';

const folder = new DataFolder();
afterAll(folder.remove);

const bytes = (length: number, first = 0) => Uint8Array.from({ length }, (_, i) => first + i);

describe('IDX', () => {
  const [images, labels] = [idxFile([3, 2, 2], bytes(12)), idxFile([3], Uint8Array.of(1, 0, 2))];
  const put = (name: string, x = images, y = labels, prefix = 'train') => {
    folder.write(`${name}/${prefix}-images-idx3-ubyte`, x);
    folder.write(`${name}/${prefix}-labels-idx1-ubyte`, y);
    return folder.path(name);
  };

  it('is read from a folder, packed or not', async () => {
    const plain = put('idx');
    folder.write('idx/t10k-images-idx3-ubyte.gz', gzipSync(idxFile([1, 2, 2], bytes(4, 50))));
    folder.write('idx/t10k-labels-idx1-ubyte.gz', gzipSync(idxFile([1], Uint8Array.of(2))));
    const { train, test } = await openData(plain);
    expect(train).toMatchObject({ classes: ['0', '1', '2'], shape: [2, 2, 1], kind: 'pixels', length: 3 });
    expect(train.item(1)).toEqual({ values: Uint8Array.of(4, 5, 6, 7), label: 0 });
    expect(test!.item(0)).toEqual({ values: Uint8Array.of(50, 51, 52, 53), label: 2 });
  });

  it('is read from one file', async () => {
    const { train, test } = await openData(`${put('single')}/train-images-idx3-ubyte`);
    expect([train.length, test]).toEqual([3, undefined]);
  });

  it.each([
    ['RV4002', 'not an IDX file', () => put('text', Buffer.from('hello'))],
    ['RV4002', 'ends in its header', () => put('header', images.subarray(0, 9))],
    ['RV4002', '11 bytes of data where', () => put('short', images.subarray(0, images.length - 1))],
    ['RV4002', 'takes', () => put('huge', idxFile([0xffffffff, 0xffffffff, 0xffffffff], bytes(4)))],
    ['RV4002', 'type 0xd', () => put('floats', idxFile([3, 2, 2], bytes(48), 0x0d))],
    ['RV4002', 'three dimensions', () => put('flat', idxFile([3, 4], bytes(12)))],
    ['RV4002', '[2] labels for 3', () => put('fewer', images, idxFile([2], bytes(2)))],
    ['RV4005', 'one class', () => put('same', images, idxFile([3], new Uint8Array(3)))],
    ['RV4005', 'no items', () => put('empty', idxFile([0, 2, 2], bytes(0)), idxFile([0], bytes(0)))],
    [
      'RV4004',
      'the label 3',
      () => {
        put('beyond', idxFile([1, 2, 2], bytes(4)), idxFile([1], Uint8Array.of(3)), 't10k');
        return put('beyond');
      },
    ],
    [
      'RV4003',
      '[3, 3, 1]',
      () => {
        put('sizes', idxFile([1, 3, 3], bytes(9)), idxFile([1], Uint8Array.of(1)), 't10k');
        return put('sizes');
      },
    ],
    ['RV4001', 'no train-images', () => put('tests', images, labels, 't10k')],
    [
      'RV4002',
      'unpacked',
      () => {
        folder.write('gz/train-images-idx3-ubyte.gz', 'not gzip');
        return folder.path('gz');
      },
    ],
    [
      'RV1006',
      'there is no file',
      () => {
        folder.write('alone/train-images-idx3-ubyte', images);
        return folder.path('alone');
      },
    ],
  ])('%s: %s', async (code, says, make) => {
    expect(await problemOf(openData(make()))).toMatchObject({ code, message: expect.stringContaining(says) });
  });

  const FASHION = '/usr/share/datasets/fashion-mnist';
  it.runIf(existsSync(FASHION))('Fashion-MNIST is read', async () => {
    const { train, test } = await openData(FASHION);
    expect([train.length, test!.length, train.classes.length]).toEqual([60000, 10000, 10]);
  });
});

describe('CSV', () => {
  const open = (name: string, text: string, label?: string | number) =>
    openData(folder.write(`${name}.csv`, text), label === undefined ? {} : { label });

  it('has its labels first, or in the column of a name', async () => {
    const first = await open('first', 'b,1,2.5\na,-3e2,4\n');
    expect(first.train).toMatchObject({ classes: ['a', 'b'], shape: [2], kind: 'reals', length: 2 });
    expect(first.train.item(1)).toEqual({ values: Float32Array.of(-300, 4), label: 0 });
    const named = await open('named', 'x;y;kind\r\n1;2;10\r\n3;4;9\r\n\r\n5;6;9', 'kind');
    expect(named.train.classes).toEqual(['9', '10']);
    expect([...named.train.labels]).toEqual([1, 0, 0]);
    expect(named.train.item(2).values).toEqual(Float32Array.of(5, 6));
  });

  it('has a header or not', async () => {
    expect((await open('header', 'class,u,v\n0,1,2\n1,3,4\n')).train.length).toBe(2);
    expect((await open('bare', 'x,1,2\ny,3,4\n')).train.length).toBe(2);
  });

  it('takes a second file for testing', async () => {
    folder.write('two/train.csv', '0,1\n1,2\n');
    folder.write('two/test.csv', '1,5\n');
    const { test } = await openData(folder.path('two'));
    expect(test!.item(0)).toEqual({ values: Float32Array.of(5), label: 1 });
    folder.write('two/test.csv', '2,5\n');
    expect(await problemOf(openData(folder.path('two')))).toMatchObject({ code: 'RV4004' });
    folder.write('two/test.csv', '1,5,6\n');
    expect(await problemOf(openData(folder.path('two')))).toMatchObject({ code: 'RV4003' });
  });

  it.each([
    ['RV4002', 'line 2, column 2: NaN', '0,1\n1,NaN\n'],
    ['RV4002', 'line 1, column 2: nan', '0,nan\n1,1\n'],
    ['RV4002', 'line 2, column 3: nothing', '0,1,2\n1,1,\n'],
    ['RV4002', 'line 3, column 2: 1e99', '0,1\n1,2\n1,1e99\n'],
    ['RV4002', 'line 4: 1 fields instead of 2', '0,1\n\n1,2\n5\n'],
    ['RV4002', 'line 2: no label', '0,1\n,2\n'],
    ['RV4002', '2 of 3 rows', '0,1\n1,x\n2,y\n'],
    ['RV4002', 'quote', 'a,"1\nb,2\n'],
    ['RV4005', 'one class', '0,1\n0,2\n'],
    ['RV4001', 'no column beside', '0\n1\n'],
    ['RV4001', 'no column 0', ''],
  ])('%s: %s', async (code, says, text) => {
    expect(await problemOf(open('bad', text))).toMatchObject({
      code,
      message: expect.stringContaining(says),
      origin: expect.stringContaining('bad.csv'),
    });
  });

  it('RV4001: an unknown column', async () => {
    expect(await problemOf(open('unknown', 'x,y\n1,2\n', 'z'))).toMatchObject({
      code: 'RV4001',
      message: expect.stringContaining('"x", "y"'),
    });
  });

  it('parses what RFC 4180 quotes', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '1') }).map((text) => text.trim());
    const row = fc.array(cell, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
        // The first line decides about the separator.
        const all = [['p', 'q', 'r', 's', 't', 'u', 'v'], ...rows];
        const text = all
          .map((cells) => cells.map((c) => `"${c.replaceAll('"', '""')}"`).join(','))
          .join('\r\n');
        expect(parseCsv(text).rows).toEqual(all);
      }),
    );
  });
});

describe('NumPy arrays', () => {
  const put = (name: string, x: Uint8Array, y: Uint8Array, suffix = '') => {
    folder.write(`${name}/x${suffix}.npy`, x);
    folder.write(`${name}/y${suffix}.npy`, y);
    return folder.path(name);
  };
  const labels = npyFile('<i8', [2], BigInt64Array.of(1n, 0n));

  it('of uint8 are pixels', async () => {
    const { train } = await openData(put('pixels', npyFile('|u1', [2, 2, 3], bytes(12)), labels));
    expect(train).toMatchObject({ shape: [2, 3, 1], kind: 'pixels', classes: ['0', '1'] });
    expect(train.item(1)).toEqual({ values: bytes(6, 6), label: 0 });
  });

  it('of floats are numbers, for training and testing', async () => {
    put('reals', npyFile('<f8', [2, 2], Float64Array.of(1, 2, 3, 4)), labels, '_train');
    const path = put(
      'reals',
      npyFile('<f4', [1, 2], Float32Array.of(5, 6)),
      npyFile('|u1', [1, 1], bytes(1)),
      '_test',
    );
    const { train, test } = await openData(path);
    expect(train.item(1)).toEqual({ values: Float32Array.of(3, 4), label: 0 });
    expect(test!.item(0)).toEqual({ values: Float32Array.of(5, 6), label: 0 });
  });

  const numbers = npyFile('<f4', [2, 2], Float32Array.of(1, 2, 3, 4));
  it.each([
    ['RV4002', 'item 1 holds NaN', npyFile('<f4', [2, 2], Float32Array.of(1, 2, Number.NaN, 4)), labels],
    ['RV4002', '[3] labels for 2', numbers, npyFile('|u1', [3], bytes(3))],
    ['RV4004', 'label -1', numbers, npyFile('|i1', [2], Int8Array.of(0, -1))],
    ['RV4004', 'label 0.5', numbers, npyFile('<f4', [2], Float32Array.of(0, 0.5))],
    ['RV4004', 'label 2000000000', numbers, npyFile('<i4', [2], Int32Array.of(0, 2e9))],
    ['RV4001', 'at least one dimension', npyFile('<f4', [2], Float32Array.of(1, 2)), labels],
    ['RV3002', 'not an .npy file', Buffer.from('hello'), labels],
  ])('%s: %s', async (code, says, x, y) => {
    expect(await problemOf(openData(put('bad-arrays', x, y)))).toMatchObject({
      code,
      message: expect.stringContaining(says),
    });
  });
});

it.each([
  ['RV1006', 'there is no', () => folder.path('nothing')],
  ['RV4001', 'kind of data', () => folder.write('model.onnx', 'x')],
  ['RV4001', 'holds no data set', () => dirname(folder.write('odd/file.txt', 'x'))],
])('anything else is %s: %s', async (code, says, make) => {
  expect(await problemOf(openData(make()))).toMatchObject({ code, message: expect.stringContaining(says) });
});

it('names a folder without anything in it', async () => {
  const path = new DataFolder();
  expect(await problemOf(openData(path.root))).toMatchObject({
    code: 'RV4001',
    message: 'the folder is empty',
  });
  path.remove();
  expect(existsSync(path.root)).toBe(false);
  expect(() => readFileSync(path.root)).toThrow();
});
