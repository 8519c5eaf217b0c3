/** A QDQ model of PyTorch's exporter becomes an int8 graph that computes what PyTorch computed, within a step. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { importModel } from '../../src/import/model.ts';
import { requireValue } from '../../src/ir/types.ts';
import { scaleOf, zeroPointOf } from '../../src/ops/quantization.ts';
import { rawInput } from '../../src/quantize/quality.ts';
import { runReference } from '../../src/run/reference.ts';
import { onnxFile } from '../support/onnx-models.ts';

const file = (end: string) => readFileSync(new URL(`../golden-data/onnx/qdq.${end}`, import.meta.url));

it('computes what PyTorch computed', () => {
  const { graph } = importModel(new Uint8Array(file('onnx')), 'qdq.onnx');
  const { input, output } = JSON.parse(file('json').toString()) as Record<
    'input' | 'output',
    { values: number[] }
  >;
  const type = requireValue(graph, graph.inputs[0]!);
  expect([scaleOf(type), zeroPointOf(type)]).toEqual([Math.fround(1 / 127.5), 0]);
  const [, height, width, channels] = type.shape as [number, number, number, number];
  const sample = Float32Array.from({ length: input.values.length }, (_, i) => {
    const [channel, pixel] = [i % channels, Math.floor(i / channels)];
    return input.values[channel * height * width + pixel]!;
  });
  const [raw] = runReference(graph, [new Uint8Array(rawInput(sample, type).buffer)]);
  const y = requireValue(graph, graph.outputs[0]!);
  const [scale, zero] = [scaleOf(y), zeroPointOf(y)];
  expect(zero).toBe(2);
  const reals = [...new Int8Array(raw!.buffer, 0, raw!.length)].map((q) => scale * (q - zero));
  expect(reals.length).toBe(3);
  reals.forEach((x, i) => {
    expect(Math.abs(x - output.values[i]!)).toBeLessThan(1.01 * scale);
  });
  expect(new Set(output.values).size).toBe(3);
});

it('has the operators of the network alone, and scales by channel', () => {
  const { graph } = importModel(new Uint8Array(file('onnx')), 'qdq.onnx');
  const ops = graph.nodes.map(({ op }) => op);
  expect(ops.filter((op) => op !== 'quantize')).toEqual([
    'conv2d',
    'depthwise_conv2d',
    'add',
    'max_pool2d',
    'mean',
    'fully_connected',
  ]);
  const weights = requireValue(graph, graph.nodes[0]!.ins[1]!);
  expect(weights.quantization!.scales.length).toBe(4);
});

/** A relu whose operand has a scale and a zero point; `changed` fields replace them. */
function relu(changed: { again?: number; behind?: boolean } = {}): Uint8Array {
  const one = (x: number) => ({ shape: [], values: [x] });
  const pair = (from: string, scale: string, to: string) => [
    { op: 'QuantizeLinear', inputs: [from, scale], outputs: [`${to}q`] },
    {
      op: 'DequantizeLinear',
      inputs: [`${to}q`, changed.again === undefined ? scale : 'again'],
      outputs: [to],
    },
  ];
  return onnxFile({
    nodes: [
      ...pair('x', 's', 'a'),
      { op: 'Relu', inputs: ['a'], outputs: ['r'] },
      ...(changed.behind === false
        ? [{ op: 'Identity', inputs: ['r'], outputs: ['y'] }]
        : pair('r', 's', 'y')),
    ],
    tensors: { s: one(0.5), again: one(changed.again ?? 0.5) },
  });
}

it.each([
  ['a value that is read with another scale', { again: 0.25 }],
  ['a value without a scale', { behind: false }],
])('RV2004: %s', (_, changed) => {
  expect(() => importModel(relu(), 'relu.onnx')).not.toThrow();
  expect(() => importModel(relu(changed), 'relu.onnx')).toThrow('RV2004');
});

it('uint8 becomes int8', () => {
  const { graph } = importModel(relu(), 'relu.onnx');
  const input = requireValue(graph, graph.inputs[0]!);
  expect([input.dtype, scaleOf(input), zeroPointOf(input)]).toEqual(['int8', 0.5, -128]);
});
