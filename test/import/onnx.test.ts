/** ONNX files written by hand: what is refused, and how layouts are carried. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RivuletError } from '../../src/core/diagnostics.ts';
import { createRandom } from '../../src/core/random.ts';
import { importModel } from '../../src/import/model.ts';
import { importOnnx } from '../../src/import/onnx.ts';
import { type Graph, requireValue } from '../../src/ir/types.ts';
import { runReference } from '../../src/run/reference.ts';
import { message, type OnnxSketch, type OnnxSketchNode, onnxFile } from '../support/onnx-models.ts';

function imported(sketch: OnnxSketch): Graph {
  return importOnnx(onnxFile(sketch), 'sketch.onnx', 'float');
}

function codes(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof RivuletError) return error.diagnostics.map(({ code }) => code);
    throw error;
  }
  return [];
}

const RELU = { op: 'Relu', inputs: ['x'], outputs: ['y'] } as const;

describe('refuses', () => {
  const node = (op: string, more: Partial<OnnxSketchNode> = {}): OnnxSketch => ({
    nodes: [{ op, inputs: ['x'], outputs: ['y'], ...more }],
  });
  const w = (...shape: number[]) => ({
    w: { shape, values: new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(1) },
  });
  it.each<[string, string, OnnxSketch]>([
    ['RV1005', 'old operators', { opset: 9, nodes: [RELU] }],
    ['RV1005', 'operators of the future', { opset: 99, nodes: [RELU] }],
    ['RV2001', 'an operator that is not known', node('Einsum')],
    ['RV2001', 'one of the prototype of objects', node('constructor')],
    ['RV2001', "somebody else's operator", node('Relu', { domain: 'com.acme' })],
    ['RV1004', 'an operand that does not exist', node('Relu', { inputs: ['q'] })],
    ['RV1004', 'a missing operand', node('Relu', { inputs: [] })],
    ['RV1004', 'an output that is not computed', { nodes: [{ ...RELU, outputs: ['z'] }] }],
    ['RV1004', 'a tensor computed twice', { nodes: [RELU, RELU] }],
    ['RV2003', 'inputs that are not float32', { inputType: 7, nodes: [RELU] }],
    ['RV2005', 'sizes that are not fixed', { inputs: { x: [1, 2, 'h', 4] }, nodes: [RELU] }],
    ['RV2005', 'an empty input', { inputs: { x: [1, 0] }, nodes: [RELU] }],
    ['RV2006', 'an input of gigabytes', { inputs: { x: [1, 65536, 65536, 9] }, nodes: [RELU] }],
    ['RV2007', 'no operators', { nodes: [] }],
    ['RV2008', 'weights that are computed', node('Conv', { inputs: ['x', 'x'] })],
    [
      'RV2002',
      'convolutions over one dimension',
      { ...node('Conv', { inputs: ['x', 'w'] }), tensors: w(3, 2, 1) },
    ],
    [
      'RV2005',
      'weights for other inputs',
      { ...node('Conv', { inputs: ['x', 'w'] }), tensors: w(3, 5, 1, 1) },
    ],
    [
      'RV2005',
      'dense weights for other inputs',
      { ...node('Gemm', { inputs: ['x', 'w'] }), tensors: w(3, 5) },
    ],
    ['RV2002', 'a softmax over rows', node('Softmax', { ints: { axis: 2 } })],
    ['RV2005', 'shapes that do not fit', { ...node('Reshape', { inputs: ['x', 'w'] }), tensors: w(3) }],
    ['RV2002', 'axes that do not exist', node('Concat', { inputs: ['x', 'x'], ints: { axis: 7 } })],
    [
      'RV2002',
      'a stride of 0',
      { ...node('Conv', { inputs: ['x', 'w'], ints: { strides: [0, 0] } }), tensors: w(2, 2, 1, 1) },
    ],
    [
      'RV2002',
      'negative padding',
      { ...node('Conv', { inputs: ['x', 'w'], ints: { pads: [-1, 0, 0, 0] } }), tensors: w(2, 2, 1, 1) },
    ],
  ])('%s: %s', (code, _, sketch) => {
    expect(codes(() => imported(sketch))).toContain(code);
  });

  it('RV1009: what is no ONNX model', () => {
    const bytes = (...values: number[]) => Uint8Array.from(values);
    for (const file of [
      new Uint8Array(),
      message([1, 8]),
      bytes(0x0f, 1),
      new TextEncoder().encode('hello'),
    ]) {
      expect(codes(() => importOnnx(file, 'x.onnx', 'float'))[0]).toMatch(/^RV100[29]$/);
    }
  });

  it('RV1002: a file that is cut off', () => {
    const file = onnxFile({ nodes: [RELU] });
    expect(codes(() => importOnnx(file.subarray(0, file.length - 3), 'x.onnx', 'float'))).toEqual(['RV1002']);
  });

  it('RV1003: a tensor that declares more than there is', () => {
    const tensor = message([1, 2 ** 40], [2, 1], [8, 'w'], [9, new Uint8Array(8)]);
    const file = message([8, message([2, 13])], [7, message([5, tensor])]);
    expect(codes(() => importOnnx(file, 'x.onnx', 'float'))).toEqual(['RV1003']);
  });

  it('RV2003: a float32 network where a quantised one is needed', () => {
    expect(codes(() => importModel(onnxFile({ nodes: [RELU] }), 'a.onnx'))).toEqual(['RV2003']);
    expect(codes(() => importModel(onnxFile({ nodes: [RELU] }), 'a.onnx', 'float'))).toEqual([]);
  });
});

/** Inputs count up from 0, in the order of ONNX; the result in that order too, if it has no four dimensions. */
function run(sketch: OnnxSketch): { graph: Graph; values: number[] } {
  const graph = imported(sketch);
  const input = requireValue(graph, graph.inputs[0]!);
  const [n, h, w, c] = input.shape as [number, number, number, number];
  const values = Float32Array.from({ length: n * h * w * c }, (_, i) => {
    const [channel, pixel] = [i % c, Math.floor(i / c)];
    return channel * h * w + pixel;
  });
  const [result] = runReference(graph, [new Uint8Array(values.buffer)]);
  return { graph, values: [...new Float32Array(result!.buffer, 0, result!.length / 4)] };
}

describe('layouts', () => {
  const inputs = { x: [1, 2, 3, 2] };
  const ops = ({ nodes }: Graph) => nodes.map(({ op }) => op);

  it('a flattened picture is in the order of its weights', () => {
    const identity = Array.from({ length: 144 }, (_, i) => (i % 13 === 0 ? 1 : 0));
    const { graph, values } = run({
      inputs,
      nodes: [
        { op: 'Flatten', inputs: ['x'], outputs: ['f'] },
        { op: 'MatMul', inputs: ['f', 'w'], outputs: ['y'] },
      ],
      tensors: { w: { shape: [12, 12], values: identity } },
    });
    expect(values).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(ops(graph)).toEqual(['reshape', 'fully_connected']);
  });

  it('a flattened picture that somebody else reads is turned round', () => {
    const nodes = [
      { op: 'Flatten', inputs: ['x'], outputs: ['f'] },
      { op: 'Relu', inputs: ['f'], outputs: ['r'] },
      { op: 'Slice', inputs: ['r', 'from', 'to', 'axes'], outputs: ['y'] },
    ];
    const list = (...values: number[]) => ({ shape: [values.length], values });
    const { values } = run({ inputs, nodes, tensors: { from: list(5), to: list(9), axes: list(1) } });
    expect(values).toEqual([5, 6, 7, 8]);
  });

  it('there and back is nothing', () => {
    const { graph } = run({
      inputs,
      nodes: [
        { op: 'Transpose', inputs: ['x'], outputs: ['last'], ints: { perm: [0, 2, 3, 1] } },
        { op: 'Relu', inputs: ['last'], outputs: ['r'] },
        { op: 'Transpose', inputs: ['r'], outputs: ['first'], ints: { perm: [0, 3, 1, 2] } },
        { op: 'Relu', inputs: ['first'], outputs: ['y'] },
      ],
    });
    expect(ops(graph)).toEqual(['relu', 'relu']);
  });

  it('constants of channels broadcast over rows and columns', () => {
    const { values } = run({
      inputs,
      nodes: [{ op: 'Mul', inputs: ['x', 'c'], outputs: ['y'] }],
      tensors: { c: { shape: [2, 1, 1], values: [1, 10] } },
    });
    expect(values).toEqual([0, 60, 1, 70, 2, 80, 3, 90, 4, 100, 5, 110]);
  });

  it('parts of channels', () => {
    const { values } = run({
      inputs,
      nodes: [
        { op: 'Split', inputs: ['x'], outputs: ['a', 'b'], ints: { axis: 1 } },
        { op: 'Concat', inputs: ['b', 'a'], outputs: ['y'], ints: { axis: 2 } },
      ],
    });
    expect(values).toEqual([6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5]);
  });

  it('last windows that hang over the border', () => {
    const pool = { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 };
    const { values } = run({
      inputs: { x: [1, 1, 3, 3] },
      nodes: [{ op: 'AveragePool', inputs: ['x'], outputs: ['y'], ints: pool }],
    });
    expect(values).toEqual([2, 3.5, 6.5, 8]);
  });
});

describe('damaged files are read or refused, at once', () => {
  const folder = new URL('../golden-data/onnx/', import.meta.url);
  const rounds = 300 * Math.max(1, Number(process.env.RIVULET_FUZZ ?? 1));
  it.each(['residual', 'flattened', 'joined'])('%s', (name) => {
    const file = new Uint8Array(readFileSync(new URL(`${name}.onnx`, folder)));
    const random = createRandom(name.length);
    const seen = new Map<string, number>();
    for (let round = 0; round < rounds; ++round) {
      const damaged = file.slice(0, random() < 0.2 ? Math.floor(random() * file.length) : file.length);
      const places = 1 + Math.floor(random() * 6);
      for (let i = 0; i < places && damaged.length > 0; ++i) {
        const at = Math.floor(random() * damaged.length);
        damaged[at] =
          random() < 0.5 ? damaged[at]! ^ (1 << Math.floor(random() * 8)) : Math.floor(random() * 256);
      }
      const begin = performance.now();
      const found = codes(() => importOnnx(damaged, 'damaged.onnx', 'float'));
      expect(performance.now() - begin, `round ${round}`).toBeLessThan(5000);
      for (const code of new Set(found.length === 0 ? ['read'] : found)) {
        seen.set(code, (seen.get(code) ?? 0) + 1);
      }
    }
    expect([...seen.keys()].filter((code) => code.startsWith('RV9'))).toEqual([]);
    expect(seen.size).toBeGreaterThan(5);
  });
});
