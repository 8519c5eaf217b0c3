import { describe, expect, it } from 'vitest';
import { RivuletError } from '../../src/core/diagnostics.ts';
import {
  buildFlatFile,
  type FlatFields,
  type FlatValue,
  flat,
} from '../../src/formats/flatbuffer-builder.ts';
import { readTflite } from '../../src/formats/tflite/reader.ts';
import { BUFFER, MODEL, OPERATOR, OPERATOR_CODE, SUBGRAPH, TENSOR } from '../../src/formats/tflite/schema.ts';
import { writeTflite } from '../../src/formats/tflite/writer.ts';
import { mutations } from '../support/mutate.ts';
import { hasRealModels, REAL_MODELS, realModel, smallModel } from './models.ts';

/** A loaded machine may be slow; each single file is timed more strictly. */
const TIMEOUT_MS = 60_000;

/** Reads damaged copies of `bytes`; returns how many were refused. Anything but a RivuletError fails the test. */
function fuzz(bytes: Uint8Array, seed: number, count: number): number {
  let refused = 0;
  for (const { description, bytes: damaged } of mutations(bytes, seed, count)) {
    const start = performance.now();
    try {
      readTflite(damaged);
    } catch (error) {
      if (!(error instanceof RivuletError)) throw new Error(description, { cause: error });
      refused += 1;
    }
    const elapsed = performance.now() - start;
    if (elapsed > 1000) throw new Error(`${description} took ${elapsed} ms`);
  }
  return refused;
}

describe('damaged files', { timeout: TIMEOUT_MS }, () => {
  it('a small model: refused or read, never a crash', () => {
    expect(fuzz(writeTflite(smallModel()), 1, 20000)).toBeGreaterThan(5000);
  });

  it('every truncation and every word at an extreme', () => {
    const bytes = writeTflite(smallModel());
    for (let length = 0; length < bytes.length; ++length) {
      expectRivuletErrorOrNothing(bytes.subarray(0, length));
    }
    for (let at = 0; at + 4 <= bytes.length; at += 2) {
      for (const value of [
        0,
        1,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        bytes.length - at,
        bytes.length - at - 4,
      ]) {
        const damaged = bytes.slice();
        new DataView(damaged.buffer).setUint32(at, value, true);
        expectRivuletErrorOrNothing(damaged);
      }
    }
  });

  describe.skipIf(!hasRealModels)('real models', () => {
    const small = REAL_MODELS.slice(0, 2);
    it.each(small)('%s as it is', (name) => {
      fuzz(realModel(name), 2, 500);
    });

    it.each(REAL_MODELS)('the structure of %s, without the constants that most faults would hit', (name) => {
      const { model } = readTflite(realModel(name));
      const structure = writeTflite({ ...model, buffers: model.buffers.map(() => new Uint8Array(0)) });
      expect(fuzz(structure, 3, 300)).toBeGreaterThan(60);
    });
  });
});

function expectRivuletErrorOrNothing(bytes: Uint8Array): void {
  try {
    readTflite(bytes);
  } catch (error) {
    if (!(error instanceof RivuletError)) throw error;
  }
}

describe('diagnostics', () => {
  const code = flat.table({ [OPERATOR_CODE.deprecatedBuiltinCode]: flat.int8(3) });
  const emptyBuffer = flat.table({});
  const fileOf = (graph: FlatFields, more: FlatFields = {}, identifier = 'TFL3') =>
    buildFlatFile(
      {
        [MODEL.version]: flat.uint32(3),
        [MODEL.operatorCodes]: flat.list([code]),
        [MODEL.subgraphs]: flat.list([flat.table(graph)]),
        [MODEL.buffers]: flat.list([emptyBuffer]),
        ...more,
      },
      identifier,
    );
  const oneTensor = (fields: FlatFields) => fileOf({ [SUBGRAPH.tensors]: flat.list([flat.table(fields)]) });
  const oneOperator = (fields: FlatFields) =>
    fileOf({ [SUBGRAPH.operators]: flat.list([flat.table(fields)]) });

  it.each<[string, string, Uint8Array]>([
    ['RV1001', 'an empty file', new Uint8Array(0)],
    ['RV1001', 'a picture', Uint8Array.from('\x89PNG\r\n\x1a\n and some pixels', (c) => c.charCodeAt(0))],
    ['RV1002', 'a root outside the file', Uint8Array.from('\xff\xff\xff\x7fTFL3', (c) => c.charCodeAt(0))],
    ['RV1005', 'another schema version', fileOf({}, { [MODEL.version]: flat.uint32(2) })],
    ['RV1004', 'no subgraph', fileOf({}, { [MODEL.subgraphs]: undefined })],
    ['RV1004', 'a buffer that does not exist', oneTensor({ [TENSOR.buffer]: flat.uint32(1) })],
    ['RV1005', 'a tensor type that is not known', oneTensor({ [TENSOR.type]: flat.int8(99) })],
    ['RV1005', 'data in another file', oneTensor({ [TENSOR.externalBuffer]: flat.uint32(1) })],
    ['RV1003', 'a negative dimension', oneTensor({ [TENSOR.shape]: flat.int32s([1, -4]) })],
    ['RV1003', 'too many elements', oneTensor({ [TENSOR.shape]: flat.int32s([65536, 65536, 65536]) })],
    [
      'RV1004',
      'an operator code that does not exist',
      oneOperator({ [OPERATOR.opcodeIndex]: flat.uint32(1) }),
    ],
    ['RV1004', 'an operand that does not exist', oneOperator({ [OPERATOR.inputs]: flat.int32s([0]) })],
    ['RV1004', 'an absent output', oneOperator({ [OPERATOR.outputs]: flat.int32s([-1]) })],
    [
      'RV1003',
      'a constant that is too short',
      fileOf(
        {
          [SUBGRAPH.tensors]: flat.list([
            flat.table({ [TENSOR.shape]: flat.int32s([3]), [TENSOR.buffer]: flat.uint32(1) }),
          ]),
        },
        {
          [MODEL.buffers]: flat.list([
            emptyBuffer,
            flat.table({ [BUFFER.data]: flat.bytes(new Uint8Array(11)) }),
          ]),
        },
      ),
    ],
  ])('%s for %s', (expected, _, bytes) => {
    expect(() => readTflite(bytes, 'net.tflite')).toThrow(RivuletError);
    expect(() => readTflite(bytes, 'net.tflite')).toThrow(`${expected} error`);
    expect(() => readTflite(bytes, 'net.tflite')).toThrow('net.tflite');
  });

  it('RV1002 for a virtual table that begins inside the file and ends outside', () => {
    const bytes = fileOf({});
    const view = new DataView(bytes.buffer);
    const root = view.getUint32(0, true);
    view.setInt32(root, root - (bytes.length - 4), true);
    bytes.set([40, 0, 40, 0], bytes.length - 4);
    expect(() => readTflite(bytes)).toThrow('RV1002 error: 40 bytes');
  });

  it('warns about a missing identifier and reads on', () => {
    const { warnings } = readTflite(fileOf({}, {}, '\0\0\0\0'));
    expect(warnings.map(({ code }) => code)).toEqual(['RV1001']);
  });

  it('applies the defaults where options are absent or those of another operator', () => {
    const absent = readTflite(oneOperator({}));
    expect(absent.warnings).toEqual([]);
    const options = {
      [OPERATOR.optionsType]: flat.uint8(8),
      [OPERATOR.options]: flat.table({ 4: flat.int32(7) }),
    };
    const mismatched = readTflite(oneOperator(options));
    expect(mismatched.warnings).toMatchObject([{ code: 'RV1005', severity: 'warning' }]);
    for (const { model } of [absent, mismatched]) {
      expect(model.subgraphs[0]!.operators[0]).toMatchObject({
        name: 'CONV_2D',
        options: { padding: 'SAME', strideW: 0, dilationW: 1, dilationH: 1 },
      });
    }
  });

  it('reads constants that lie behind the flatbuffer', () => {
    const plain = fileOf(
      {},
      {
        [MODEL.buffers]: flat.list([
          emptyBuffer,
          flat.table({ [BUFFER.offset]: int64(1), [BUFFER.size]: int64(5) }),
          flat.table({ [BUFFER.offset]: int64(8), [BUFFER.size]: int64(4) }),
        ]),
      },
    );
    const { model } = readTflite(plain);
    expect(model.buffers[1]).toHaveLength(0);
    expect(model.buffers[2]).toEqual(plain.subarray(8, 12));
    const outside = { [BUFFER.offset]: int64(8), [BUFFER.size]: int64(2 ** 40) };
    const buffers = flat.list([emptyBuffer, flat.table(outside)]);
    expect(() => readTflite(fileOf({}, { [MODEL.buffers]: buffers }))).toThrow('RV1002');
  });
});

const int64 = (value: number): FlatValue => ({ kind: 'scalar', type: 'int64', value });

describe('files that unfold', () => {
  /** A model with `count` references to one subgraph that has `count` references to one tensor: 8 bytes a pair. */
  function bomb(count: number): Uint8Array {
    const bytes = new Uint8Array(72 + 8 * count);
    const view = new DataView(bytes.buffer);
    const refer = (at: number, target: number) => view.setUint32(at, target - at, true);
    const vtable = (at: number, ...words: number[]) => {
      words.forEach((word, i) => {
        view.setUint16(at + 2 * i, word, true);
      });
    };
    const table = (at: number, vtableAt: number) => view.setInt32(at, at - vtableAt, true);
    const references = (at: number, target: number) => {
      view.setUint32(at, count, true);
      for (let i = 0; i < count; ++i) refer(at + 4 + 4 * i, target);
    };
    const [model, subgraphs] = [36, 48];
    const graph = subgraphs + 4 + 4 * count;
    const tensors = graph + 8;
    const tensor = tensors + 4 + 4 * count;
    refer(0, model);
    bytes.set(new TextEncoder().encode('TFL3'), 4);
    vtable(8, 10, 12, 4, 0, 8);
    vtable(20, 6, 8, 4);
    vtable(28, 4, 4);
    table(model, 8);
    view.setUint32(model + 4, 3, true);
    refer(model + 8, subgraphs);
    references(subgraphs, graph);
    table(graph, 20);
    refer(graph + 4, tensors);
    references(tensors, tensor);
    table(tensor, 28);
    return bytes;
  }

  it('are refused before they fill the memory', () => {
    // One reference each is a model without buffers, which shows that only the number is at fault.
    expect(() => readTflite(bomb(1))).toThrow('buffer 0 of 0');
    const start = performance.now();
    expect(() => readTflite(bomb(2000))).toThrow('add up to more than the file holds');
    expect(performance.now() - start).toBeLessThan(200);
  });
});
