/** The architectures: their costs against the published figures, their shapes against a released file. */
import { describe, expect, it } from 'vitest';
import type { TfliteModel } from '../../src/formats/tflite/model.ts';
import { readTflite } from '../../src/formats/tflite/reader.ts';
import { writeTflite } from '../../src/formats/tflite/writer.ts';
import { inspect } from '../../src/inspect.ts';
import { costOf, samePadding } from '../../src/zoo/layers.ts';
import { zooModel } from '../../src/zoo/model.ts';
import { makeDivisible, ZOO } from '../../src/zoo/networks.ts';
import { HAS_SHARED, modelBytes } from '../support/shared.ts';

describe.each(ZOO)('$name', (network) => {
  it('has the published MACs and parameters', () => {
    const { macs, trainedParameters } = costOf(network);
    expect(asPublished(macs, network.published.macs)).toBe(network.published.macs);
    expect(asPublished(trainedParameters, network.published.parameters)).toBe(network.published.parameters);
  });
});

it('costs in the file what the architecture says', () => {
  for (const network of ZOO.filter(({ resolution }) => resolution < 100)) {
    const { macs, parameters } = inspect(writeTflite(zooModel(network.name)));
    expect({ macs, parameters }).toMatchObject({
      macs: costOf(network).macs,
      parameters: costOf(network).parameters,
    });
  }
});

it('has the exact figures of MobileNetV2', () => {
  const cost = (name: string) => costOf(ZOO.find((network) => network.name === name)!);
  expect(cost('mbv2-w1.0-r224')).toEqual({
    macs: 300_774_272,
    parameters: 3_487_816,
    trainedParameters: 3_504_872,
  });
  expect(cost('mbv2-w0.35-r144')).toEqual({
    macs: 23_499_152,
    parameters: 744_072,
    trainedParameters: 750_280,
  });
});

it.skipIf(!HAS_SHARED)('is layer by layer the released mcunet-vww1', () => {
  expect(shapesOf(zooModel('mcunet-vww1'))).toEqual(shapesOf(readTflite(modelBytes('vww'), 'vww').model));
});

it('rounds channels as published', () => {
  expect([20, 12, 9.6, 19.2, 57.6, 115.2, 86.4].map(makeDivisible)).toEqual([24, 16, 16, 24, 56, 112, 88]);
});

it('pads as TensorFlow where the padding is SAME', () => {
  expect(samePadding(144, 3, 2)).toEqual([0, 1]);
  expect(samePadding(9, 3, 2)).toEqual([1, 1]);
  expect(samePadding(9, 7, 1)).toEqual([3, 3]);
  expect(samePadding(9, 1, 1)).toEqual([0, 0]);
});

/** Millions with as many decimals as the published figure has. */
function asPublished(count: number, published: string): string {
  return (count / 1e6).toFixed(published.split('.')[1]?.length ?? 0);
}

/** Operators that compute or pad, with the shapes of results and weights. */
function shapesOf(model: TfliteModel) {
  const { operators, tensors } = model.subgraphs[0]!;
  return operators
    .filter(({ name }) => /PAD|CONV|ADD|FULLY/.test(name))
    .map(({ name, inputs, outputs, options }) => ({
      name,
      result: tensors[outputs[0]!]!.shape,
      operand: tensors[inputs[1]!]!.shape,
      ...('strideH' in options && { stride: options.strideH }),
    }));
}
