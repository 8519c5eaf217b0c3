import { writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { RivuletError } from '../../src/core/diagnostics.ts';
import { patternBytes } from '../../src/core/random.ts';
import type { Port } from '../../src/program/types.ts';
import { type InputOptions, readInputs } from '../../src/run/input.ts';
import { temporaryFolder } from '../support/cli.ts';
import { npyFile } from '../support/npy.ts';

const folder = temporaryFolder();
afterAll(folder.remove);

function port(dtype: 'int8' | 'uint8' | 'float32', shape: number[], scale = 1 / 255, zeroPoint = -128): Port {
  const bytes = shape.reduce((a, b) => a * b, 1) * (dtype === 'float32' ? 4 : 1);
  const quantization = { scales: [Math.fround(scale)], zeroPoints: [zeroPoint], axis: 0 };
  return { name: 'x', buffer: 0, shape, dtype, bytes, ...(dtype === 'float32' ? {} : { quantization }) };
}

function file(name: string, bytes: Uint8Array): string {
  writeFileSync(folder.path(name), bytes);
  return folder.path(name);
}

async function read(input: Port, name: string, bytes: Uint8Array, options: InputOptions = {}) {
  return (await readInputs([input], [file(name, bytes)], options))[0]!;
}

const signed = (bytes: Uint8Array) => [...new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)];
const floats = (bytes: Uint8Array) => [...new Float32Array(bytes.slice().buffer)];

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RivuletError)) throw error ?? new Error('it was accepted');
  return error.message;
}

function png(width: number, height: number, channels: 1 | 3 | 4, pixels: ArrayLike<number>): Promise<Buffer> {
  return sharp(Uint8Array.from(pixels), { raw: { width, height, channels } }).png().toBuffer();
}

test('.bin is taken as it is, in its exact length', async () => {
  const input = port('int8', [1, 4]);
  expect(await read(input, 'a.bin', Uint8Array.of(1, 2, 3, 255))).toEqual(Uint8Array.of(1, 2, 3, 255));
  const message = await refusal(read(input, 'a.bin', Uint8Array.of(1, 2, 3)));
  expect(message).toMatch(/RV3002 error: 3 bytes where the input "x" takes 4\n.*a\.bin\n.*int8 \[1, 4\]/);
});

test.each([1, 2] as const)('.npy version %i of the same type', async (version) => {
  const bytes = npyFile('|i1', [1, 2, 2], Int8Array.of(-1, 2, -3, 4), { version });
  expect(signed(await read(port('int8', [1, 2, 2]), 'a.npy', bytes))).toEqual([-1, 2, -3, 4]);
});

test('.npy may leave out dimensions of size 1, and no others', async () => {
  const bytes = npyFile('|i1', [4], Int8Array.of(1, 2, 3, 4));
  expect(signed(await read(port('int8', [1, 4, 1]), 'a.npy', bytes))).toEqual([1, 2, 3, 4]);
  expect(await refusal(read(port('int8', [2, 2]), 'a.npy', bytes))).toContain('shape [4]');
});

test.each([
  ['<f4', Float32Array.of(-1, 0.25, 0.3, 99, -99, 0)],
  ['<f8', Float64Array.of(-1, 0.25, 0.3, 99, -99, 0)],
])('.npy of %s is quantised: halves away from zero, clamped', async (descr, data) => {
  const input = port('int8', [6], 0.5, 1);
  // -1 / 0.5 + 1, round(0.5) + 1, round(0.6) + 1, clamped, clamped, the zero point
  expect(signed(await read(input, 'a.npy', npyFile(descr, [6], data)))).toEqual([-1, 2, 2, 127, -128, 1]);
});

test('.npy of floats for a float input stays as it is', async () => {
  const bytes = npyFile('<f4', [2], Float32Array.of(0.1, -7));
  expect(floats(await read(port('float32', [2]), 'a.npy', bytes))).toEqual([Math.fround(0.1), -7]);
});

test.each([
  ['another type', npyFile('|u1', [4], Uint8Array.of(1, 2, 3, 4)), 'an array of uint8'],
  ['big-endian', npyFile('>i2', [4], new Int16Array(4)), 'elements of type >i2'],
  ['Fortran order', npyFile('|i1', [2, 2], new Int8Array(4), { fortran: true }), 'Fortran order'],
  ['cut data', npyFile('|i1', [4], new Int8Array(3)), '3 bytes of data'],
  ['a cut header', npyFile('|i1', [4], new Int8Array(4)).subarray(0, 40), 'cut short'],
  ['a hostile shape', npyFile('|i1', [2 ** 31, 2 ** 31], new Int8Array(4)), 'bytes of data'],
  ['objects', npyFile('|O', [4], new Int8Array(32)), 'elements of type |O'],
  ['not a number', npyFile('<f4', [4], Float32Array.of(0, Number.NaN, 0, 0)), 'element 1 is NaN'],
  ['nothing', new Uint8Array(), 'not an .npy file'],
])('.npy with %s is refused', async (_, bytes, expected) => {
  const message = await refusal(read(port('int8', [4]), 'a.npy', bytes));
  expect(message).toContain('RV3002');
  expect(message).toContain(expected);
});

const PIXELS = [0, 127, 128, 255, 1, 2, 3, 4, 5, 250, 251, 252];

test.each([
  ['[0, 1]', 1 / 255, -128],
  ['[-1, 1]', 1 / 127.5, 0],
  ['[0, 255]', 1, -128],
])('by default the pixels of a picture fill the range of the input: %s', async (_, scale, zeroPoint) => {
  const input = port('int8', [1, 2, 2, 3], scale, zeroPoint);
  const raw = signed(await read(input, 'a.png', await png(2, 2, 3, PIXELS)));
  expect(raw).toEqual(PIXELS.map((p) => p - 128));
});

test('pixels become p of a uint8 input and p / 255 of a float input', async () => {
  const picture = await png(2, 2, 3, PIXELS);
  expect([...(await read(port('uint8', [2, 2, 3], 0.1, 7), 'a.png', picture))]).toEqual(PIXELS);
  const reals = floats(await read(port('float32', [2, 2, 3]), 'a.png', picture));
  expect(reals).toEqual(PIXELS.map((p) => Math.fround(p / 255)));
});

test('mean and scale of a picture, for all channels or for each', async () => {
  const input = port('int8', [1, 1, 1, 3], 0.5, 10);
  const picture = await png(1, 1, 3, [100, 110, 120]);
  expect(signed(await read(input, 'a.png', picture, { mean: [100], scale: [1] }))).toEqual([10, 30, 50]);
  const each = { mean: [100, 100, 110], scale: [1, 0.5, 2] };
  expect(signed(await read(input, 'a.png', picture, each))).toEqual([10, 20, 50]);
  expect(await refusal(read(input, 'a.png', picture, { mean: [1, 2] }))).toContain('2 values for 3 channels');
});

test('a picture is stretched, turned grey, and loses its transparency', async () => {
  const wide = await png(
    6,
    2,
    3,
    Array.from({ length: 36 }, (_, i) => [200, 100, 50][i % 3]!),
  );
  const stretched = signed(await read(port('int8', [1, 3, 4, 3]), 'a.png', wide));
  expect(stretched).toEqual(Array.from({ length: 36 }, (_, i) => [72, -28, -78][i % 3]!));
  const grey = await png(2, 1, 3, [90, 90, 90, 10, 10, 10]);
  expect(signed(await read(port('int8', [1, 1, 2, 1]), 'a.png', grey))).toEqual([-38, -118]);
  const clear = await png(1, 1, 4, [255, 255, 255, 0]);
  expect(signed(await read(port('int8', [1, 1, 1, 3]), 'a.png', clear))).toEqual([-128, -128, -128]);
  const greyFile = await png(1, 1, 1, [77]);
  expect(signed(await read(port('int8', [1, 1, 1, 3]), 'a.png', greyFile))).toEqual([-51, -51, -51]);
});

test('a .jpg is read too', async () => {
  const jpeg = await sharp({ create: { width: 9, height: 9, channels: 3, background: '#808080' } })
    .jpeg()
    .toBuffer();
  const raw = signed(await read(port('int8', [1, 4, 4, 3]), 'a.JPG', jpeg));
  expect(raw.every((q) => Math.abs(q) <= 1)).toBe(true);
});

test('what is no picture, and inputs that are none, are refused', async () => {
  expect(await refusal(read(port('int8', [1, 2, 2, 3]), 'a.png', Uint8Array.of(1, 2)))).toContain('RV1006');
  const picture = await png(1, 1, 3, [1, 2, 3]);
  expect(await refusal(read(port('int8', [1, 640]), 'a.png', picture))).toContain('of shape [1, 640]');
});

test('the pattern is the one of the golden files; a single one fills all inputs', async () => {
  const ports = [port('int8', [1, 5]), port('int8', [3])];
  const [first, second] = await readInputs(ports, ['pattern:9']);
  expect(signed(first!)).toEqual([...patternBytes(5, 9)]);
  expect(signed(second!)).toEqual([...patternBytes(3, 10)]);
  expect(floats((await readInputs([port('float32', [2])], ['pattern']))[0]!)).toEqual(
    [...patternBytes(2, 1)].map((b) => b / 32),
  );
});

test('the number of inputs and their kind are checked', async () => {
  const ports = [port('int8', [1, 5]), port('int8', [3])];
  const message = await refusal(readInputs(ports, ['a.bin']));
  expect(message).toMatch(/takes 2 inputs, 1 are given\n.*\n.*"x" int8 \[1, 5\], "x" int8 \[3\]/);
  expect(await refusal(readInputs([port('int8', [3])], ['a.wav']))).toContain('.bin, .npy, .png or .jpg');
});
