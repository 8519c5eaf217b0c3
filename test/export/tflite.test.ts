/** What is written reads back as the same graph, and computes the golden outputs. */
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import { writeTflite } from '../../src/export/tflite.ts';
import { readTflite } from '../../src/formats/tflite/reader.ts';
import { writeTflite as writeModel } from '../../src/formats/tflite/writer.ts';
import { importModel } from '../../src/import/model.ts';
import { importTflite } from '../../src/import/tflite.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import { type Graph, requireValue, typeOf } from '../../src/ir/types.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { OPERATOR_MODELS } from '../support/operator-models.ts';
import { ALL_MODELS, goldenOutputs, HAS_SHARED, modelBytes, patternInput } from '../support/shared.ts';

/**
 * A graph without ids, names and origins: values by the order in which they are met.
 * @param biasScales whether those of int32 constants count; they follow from input and weights, and the writer adds them
 */
function essence(graph: Graph, biasScales = true) {
  const order = new Map<number, number>();
  const met = (id: number | null) => {
    if (id === null) return null;
    const value = requireValue(graph, id);
    if (value.role === 'const') {
      const { quantization, ...type } = typeOf(value);
      const counts = biasScales || value.dtype !== 'int32';
      return { ...type, quantization: counts ? quantization : undefined, data: value.data };
    }
    if (!order.has(id)) order.set(id, order.size);
    return { ...typeOf(value), value: order.get(id) };
  };
  return {
    inputs: graph.inputs.map(met),
    nodes: graph.nodes.map(({ op, attrs, ins, outs }) => ({
      op,
      attrs,
      ins: ins.map(met),
      outs: outs.map(met),
    })),
    outputs: graph.outputs.map(met),
  };
}

const reread = (graph: Graph): Graph => importTflite(writeTflite(graph), 'again').graph;

describe('every operator that can be imported', () => {
  it.each([...OPERATOR_MODELS])('%s', (_, model) => {
    const { graph } = importTflite(writeModel(model), 'net');
    expect(essence(reread(graph), false)).toEqual(essence(graph, false));
  });
});

describe.skipIf(!HAS_SHARED).each(ALL_MODELS)('%s', (name) => {
  it('comes back as it was, and gives the golden outputs', async () => {
    const { graph } = importTflite(modelBytes(name), name);
    const bytes = writeTflite(graph);
    expect(essence(importTflite(bytes, name).graph)).toEqual(essence(graph));
    const { program, plan } = compile(bytes, { file: `${name}.tflite` });
    const executor = await WasmExecutor.create(program, plan);
    for (const [seed, expected] of goldenOutputs(name)) {
      const outputs = executor.run([patternInput(program.inputs[0]!.bytes, seed)]);
      expect(outputs.flatMap((out) => [...new Int8Array(out.buffer)])).toEqual(expected);
    }
  });

  it('asks for the versions that its own writer asked for', () => {
    const versions = (bytes: Uint8Array) => {
      const { operatorCodes, subgraphs } = readTflite(bytes, name).model;
      return subgraphs[0]!.operators.map(({ name: op, opcode }) => `${op} ${operatorCodes[opcode]!.version}`);
    };
    const given = modelBytes(name);
    expect(versions(writeTflite(importTflite(given, name).graph))).toEqual(versions(given));
  });
});

describe.skipIf(!existsSync('../shared/models/mcunet-5fps.json'))('a backbone stored as JSON', () => {
  it('gives the same bytes as a .tflite', async () => {
    const [description, tensors] = ['json', 'safetensors'].map(
      (end) => new Uint8Array(readFileSync(`../shared/models/mcunet-5fps.${end}`)),
    );
    const model = { description: description!, tensors: tensors! };
    const written = compile(writeTflite(importModel(model, 'mcunet-5fps.json').graph), {
      file: 'written.tflite',
    });
    const given = compile(model, { file: 'mcunet-5fps.json' });
    const [a, b] = [
      await WasmExecutor.create(written.program, written.plan),
      await WasmExecutor.create(given.program, given.plan),
    ];
    for (const seed of [1, 2, 3]) {
      const image = [patternInput(given.program.inputs[0]!.bytes, seed)];
      expect(a.run(image)).toEqual(b.run(image));
    }
  });
});

it('writes float32 networks', () => {
  const builder = new GraphBuilder('net');
  const float = (...shape: readonly number[]) => ({ shape, dtype: 'float32' }) as const;
  const origin = { index: 0, op: '', name: 'net' };
  const x = builder.input('x', float(1, 4, 4, 1));
  const weights = builder.constant('w', float(2, 3, 3, 1), new Float32Array(18).fill(0.5));
  const bias = builder.constant('b', float(2), Float32Array.of(1, -1));
  const [y, flat, z] = [float(1, 2, 2, 2), float(1, 8), float(1, 3)].map((type, i) =>
    builder.activation(`y${i}`, type),
  ) as [number, number, number];
  const window = { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] } as const;
  builder.node('conv2d', { ...window, clamp: [0, 6] }, [x, weights, bias], [y], origin);
  builder.node('reshape', {}, [y], [flat], origin);
  const dense = builder.constant('dense', float(3, 8), new Float32Array(24));
  const clamp = [-Infinity, 0.25] as const;
  builder.node('fully_connected', { clamp }, [flat, dense, bias], [z], origin);
  const { model } = readTflite(writeTflite(builder.build([z])), 'net');
  const { operators, tensors } = model.subgraphs[0]!;
  const described = operators.map(({ name, opcode, options }) => {
    const activation = 'activation' in options ? options.activation : undefined;
    return [name, model.operatorCodes[opcode]!.version, activation];
  });
  expect(described).toEqual([
    ['CONV_2D', 1, 'RELU6'],
    ['RESHAPE', 1, undefined],
    ['FULLY_CONNECTED', 1, 'NONE'],
    ['MAXIMUM', 1, undefined],
    ['MINIMUM', 1, undefined],
  ]);
  const highest = tensors[operators.at(-1)!.inputs[1]!]!;
  expect(highest.type).toBe('FLOAT32');
  expect(new Float32Array(model.buffers[highest.buffer]!.slice().buffer)).toEqual(Float32Array.of(0.25));
});

describe('what TFLite has no words for', () => {
  const perTensor = (scale: number, zeroPoint: number) => ({
    scales: [scale],
    zeroPoints: [zeroPoint],
    axis: 0,
  });

  it('keeps its meaning: any padding and bounds of a convolution', () => {
    const size = fc.integer({ min: 0, max: 2 });
    const parameters = fc.record({
      padding: fc.tuple(size, size, size, size),
      stride: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 })),
      clamp: fc.tuple(fc.integer({ min: -128, max: 0 }), fc.integer({ min: 1, max: 127 })),
      zeroPoint: fc.integer({ min: -128, max: 127 }),
    });
    fc.assert(
      fc.property(parameters, ({ padding, stride, clamp, zeroPoint }) => {
        const builder = new GraphBuilder('net');
        const int8 = (shape: readonly number[], scale: number, zero = 0) =>
          ({ shape, dtype: 'int8', quantization: perTensor(scale, zero) }) as const;
        const x = builder.input('x', int8([1, 6, 7, 2], 0.5, zeroPoint));
        const taps = Int8Array.from({ length: 54 }, (_, i) => ((i * 37) % 255) - 127);
        const weights = builder.constant('w', int8([3, 3, 3, 2], 0.25), taps);
        const out = [6, 7].map(
          (n, d) => Math.floor((n + padding[2 * d]! + padding[2 * d + 1]! - 3) / stride[d]!) + 1,
        );
        const y = builder.activation('y', int8([1, ...out, 3], 9, -3));
        const origin = { index: 0, op: 'CONV_2D', name: 'y' };
        const attrs = { padding, stride, dilation: [1, 1], clamp } as const;
        builder.node('conv2d', attrs, [x, weights, null], [y], origin);
        const graph = builder.build([y]);
        const image = [patternInput(84, 5)];
        expect(runReference(reread(graph), image)).toEqual(runReference(graph, image));
      }),
      { numRuns: 60 },
    );
  });

  it('is refused by operator where it cannot', () => {
    const builder = new GraphBuilder('net');
    const type = { dtype: 'int8', quantization: perTensor(1, 0) } as const;
    const x = builder.input('x', { ...type, shape: [1, 2, 2, 2] });
    const y = builder.activation('y', { ...type, shape: [1, 2, 2, 1] });
    const origin = { index: 4, op: 'GATHER', name: 'y' };
    builder.node('gather_channels', { channels: [1] }, [x], [y], origin);
    expect(() => writeTflite(builder.build([y]))).toThrow('RV2001 error: TFLite has no gather_channels');
  });
});
