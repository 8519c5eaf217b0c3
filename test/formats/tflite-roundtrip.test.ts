import { describe, expect, it } from 'vitest';
import type { TfliteModel } from '../../src/formats/tflite/model.ts';
import { readTflite } from '../../src/formats/tflite/reader.ts';
import { OPS, type OpName, type OptionValue, optionFields } from '../../src/formats/tflite/schema.ts';
import { writeTflite } from '../../src/formats/tflite/writer.ts';
import { hasRealModels, REAL_MODELS, realModel, smallModel } from './models.ts';
import { inspectFlatFile } from './walker.ts';

/** Deep equality that compares the bytes of constants as a whole: element by element takes seconds. */
function expectSameModel(actual: TfliteModel, expected: TfliteModel): void {
  const withoutData = (model: TfliteModel) => ({
    ...model,
    buffers: model.buffers.map(({ length }) => length),
  });
  expect(withoutData(actual)).toEqual(withoutData(expected));
  const differing = actual.buffers.findIndex((data, i) => Buffer.compare(data, expected.buffers[i]!) !== 0);
  expect(differing).toBe(-1);
}

describe('writeTflite', () => {
  it('gives a model back', () => {
    const { model, warnings } = readTflite(writeTflite(smallModel()));
    expect(model).toEqual(smallModel());
    expect(warnings).toEqual([]);
  });

  it('is deterministic and writes a well-formed, aligned file', () => {
    const bytes = writeTflite(smallModel());
    expect(writeTflite(smallModel())).toEqual(bytes);
    const report = inspectFlatFile(bytes);
    expect(report.faults).toEqual([]);
    expect(report.tables.Buffer).toBe(4);
    expect(report.tables.Operator).toBe(6);
  });

  it('writes both fields of the operator code', () => {
    const { operatorCodes } = inspectFlatFile(writeTflite(smallModel()));
    expect(operatorCodes).toEqual([
      [3, 3],
      [22, 22],
      [25, 25],
      [127, 150],
      [32, 32],
      [127, 142],
    ]);
  });

  it('keeps every option of every operator', () => {
    for (const name of Object.keys(OPS) as OpName[]) {
      const model = modelOf(name, (fallback) => fallback);
      expect(readTflite(writeTflite(model)).model, name).toEqual(model);
      const other = modelOf(name, otherValue);
      expect(readTflite(writeTflite(other)).model, name).toEqual(other);
    }
  });

  it('refuses what it cannot represent', () => {
    const model = smallModel();
    const graph = model.subgraphs[0]!;
    const withTensor = (change: object) => ({
      ...model,
      subgraphs: [{ ...graph, tensors: [{ ...graph.tensors[0]!, ...change }, ...graph.tensors.slice(1)] }],
    });
    expect(() => writeTflite(withTensor({ sparse: true }))).toThrow('RV1005');
    expect(() => writeTflite(withTensor({ buffer: 4 }))).toThrow('RV1004');
    expect(() => writeTflite(withTensor({ shape: [-1] }))).toThrow('RV1003');
    expect(() => writeTflite({ ...model, subgraphs: [] })).toThrow('RV1004');
  });
});

describe.skipIf(!hasRealModels)('real models', () => {
  it.each(REAL_MODELS)('%s survives reading and writing', (name) => {
    const { model, warnings } = readTflite(realModel(name), name);
    expect(warnings).toEqual([]);
    const written = writeTflite(model);
    expectSameModel(readTflite(written).model, model);
    expect(inspectFlatFile(written).faults).toEqual([]);
  });

  it('decodes the depthwise convolutions of the keyword model', () => {
    const { model } = readTflite(realModel('mlperf_kws_int8.tflite'));
    const graph = model.subgraphs[0]!;
    const convolution = graph.operators.find((operator) => operator.name === 'DEPTHWISE_CONV_2D')!;
    expect(convolution.options).toEqual({
      padding: 'SAME',
      strideW: 1,
      strideH: 1,
      depthMultiplier: 1,
      activation: 'RELU',
      dilationW: 1,
      dilationH: 1,
    });
    const weights = graph.tensors[convolution.inputs[1]!]!;
    expect(weights.shape).toEqual([1, 3, 3, 64]);
    expect(weights.quantization?.scale).toHaveLength(64);
    expect(weights.quantization?.quantizedDimension).toBe(3);
  });
});

/** A model of one operator without operands whose options are `value(fallback)`. */
function modelOf(name: OpName, value: (fallback: OptionValue, names?: readonly string[]) => OptionValue) {
  const options = Object.fromEntries(
    optionFields(name).map(([key, field]) => [
      key,
      value(field.fallback, field.type === 'enum' ? field.names : undefined),
    ]),
  );
  const operator = { name, opcode: 0, inputs: [], outputs: [], intermediates: [], options };
  return {
    ...smallModel(),
    operatorCodes: [{ builtin: OPS[name].code, name, version: 1 }],
    subgraphs: [{ name: 'main', tensors: [], inputs: [], outputs: [], operators: [operator] }],
    signatures: [],
  } as TfliteModel;
}

function otherValue(fallback: OptionValue, names?: readonly string[]): OptionValue {
  if (names !== undefined) return names.at(-1)!;
  if (typeof fallback === 'boolean') return !fallback;
  if (typeof fallback === 'number') return fallback - 2.0;
  if (typeof fallback === 'string') return 'µ';
  return [3, -1, 2];
}
