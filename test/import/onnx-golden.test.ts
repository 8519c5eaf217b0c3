/** ONNX files of PyTorch's exporter compute what PyTorch computed (tools/torch-onnx.py), with channels last. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { importOnnx } from '../../src/import/onnx.ts';
import { type Graph, requireValue } from '../../src/ir/types.ts';
import { stridedOffsets, stridesOf } from '../../src/ops/strided.ts';
import { quantize } from '../../src/quantize/quantize.ts';
import { openEngine } from '../../src/run/engine/engine.ts';
import { wasmHost } from '../../src/run/engine/wasm-host.ts';

const host = await wasmHost();
const FOLDER = new URL('../golden-data/onnx/', import.meta.url);

interface Tensor {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

function golden(name: string): { graph: Graph; input: Float32Array; output: Float32Array } {
  const file = (end: string) => readFileSync(new URL(`${name}.${end}`, FOLDER));
  const { input, output } = JSON.parse(file('json').toString()) as { input: Tensor; output: Tensor };
  const graph = importOnnx(new Uint8Array(file('onnx')), `${name}.onnx`, 'float');
  return { graph, input: channelsLast(input), output: channelsLast(output) };
}

function channelsLast({ shape, values }: Tensor): Float32Array {
  if (shape.length !== 4) return Float32Array.from(values);
  const [order, strides] = [[0, 2, 3, 1], stridesOf(shape)];
  const from = stridedOffsets(
    order.map((d) => shape[d]!),
    order.map((d) => strides[d]!),
  );
  return Float32Array.from(from, (i) => values[i]!);
}

it.each(['residual', 'flattened', 'joined'])('%s', (name) => {
  const { graph, input, output } = golden(name);
  const engine = openEngine(graph, host);
  (engine.input(0) as Float32Array).set(input);
  engine.run();
  const result = engine.output(0) as Float32Array;
  expect(result.length).toBe(output.length);
  result.forEach((x, i) => {
    expect(x).toBeCloseTo(output[i]!, 5);
  });
});

it('no layout is turned round where readers agree', () => {
  for (const name of ['residual', 'flattened', 'joined']) {
    expect(golden(name).graph.nodes.map(({ op }) => op)).not.toContain('transpose');
  }
});

it.each(['residual', 'flattened', 'joined'])('%s, quantised', (name) => {
  const { graph, input } = golden(name);
  const samples = Array.from({ length: 8 }, (_, n) => input.map((x, i) => (x + Math.sin(i * (n + 1))) / 2));
  const made = quantize(graph, samples, { host });
  expect(made.sqnr).toBeGreaterThan(25);
  expect(requireValue(made.graph, made.graph.inputs[0]!).dtype).toBe('int8');
});
