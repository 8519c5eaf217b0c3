/** The graph of a training step: what is trained, in which order, and what a network must be like. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importTflite } from '../../src/import/tflite.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import { prepareForTraining } from '../../src/learn/compile-training.ts';
import { layersOf } from '../../src/learn/layers.ts';
import { parseScheme } from '../../src/learn/scheme.ts';
import { trainingGraph } from '../../src/learn/training-graph.ts';
import { verifyGraph } from '../../src/ops/verify.ts';

const digits = prepareForTraining(
  importTflite(new Uint8Array(readFileSync('examples/digits/digits.tflite')), 'digits.tflite').graph,
);
const last = layersOf(digits).length - 1;
const scheme = (fields: object) => parseScheme(JSON.stringify(fields), 'test');

describe('a training graph', () => {
  it('trains the classifier alone if nothing else is asked for', () => {
    const { graph, layers } = trainingGraph(digits, scheme({}));
    expect(verifyGraph(graph)).toEqual([]);
    expect(layers.map(({ layer, selection }) => [layer, selection])).toEqual([[last, 'all']]);
    expect(graph.nodes.filter(({ op }) => op.endsWith('input_gradient'))).toEqual([]);
  });

  it('goes back as far as something is trained, and no further', () => {
    const { graph, layers } = trainingGraph(
      digits,
      scheme({ biases: 2, weights: [{ layer: last - 2, ratio: 0.5 }] }),
    );
    expect(verifyGraph(graph)).toEqual([]);
    expect(layers.map(({ layer }) => layer)).toEqual([last - 2, last - 1, last]);
    const gradients = graph.nodes.filter(({ op }) => op.endsWith('input_gradient'));
    expect(gradients).toHaveLength(2);
  });

  it('computes the gradient of an input before its weights move', () => {
    const { graph } = trainingGraph(
      digits,
      scheme({ biases: last, weights: [{ layer: last - 1, ratio: 1 }] }),
    );
    const trained = new Set(graph.nodes.filter(({ op }) => op.endsWith('_update')).flatMap(({ ins }) => ins));
    for (const [i, node] of graph.nodes.entries()) {
      if (!node.op.endsWith('input_gradient')) continue;
      const weights = node.ins[4];
      if (weights == null || !trained.has(weights)) continue;
      const update = graph.nodes.findIndex(({ op, ins }) => op.endsWith('d_update') && ins.includes(weights));
      expect(update).toBeGreaterThan(i);
    }
  });

  it('gives a new classifier as many outputs as it is told', () => {
    const { graph } = trainingGraph(digits, scheme({ classes: 3 }));
    expect(graph.values.get(graph.outputs[0]!)!.shape.at(-1)).toBe(3);
  });

  it('passes a mean taken one axis after the other', () => {
    const builder = new GraphBuilder('means');
    const int8 = (shape: readonly number[]) => ({
      shape,
      dtype: 'int8' as const,
      quantization: { scales: [0.05], zeroPoints: [0], axis: 0 },
    });
    const weights = (shape: readonly number[]) => {
      const data = new Int8Array(shape.reduce((a, b) => a * b, 1)).map((_, i) => (i * 37) % 100);
      return builder.constant(
        'w',
        { ...int8(shape), quantization: { scales: [0.01], zeroPoints: [0], axis: 0 } },
        data,
      );
    };
    const origin = { index: 0, op: 'TEST', name: 'test' };
    const x = builder.input('x', int8([1, 4, 6, 8]));
    const [y, rows, vector, logits] = [
      [1, 4, 6, 8],
      [1, 4, 8],
      [1, 8],
      [1, 3],
    ].map((shape, i) => builder.activation(`v${i}`, int8(shape))) as [number, number, number, number];
    const window = { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0], clamp: [-128, 127] } as const;
    builder.node('conv2d', window, [x, weights([8, 1, 1, 8]), null], [y], origin);
    builder.node('mean', { axes: [2] }, [y], [rows], origin);
    builder.node('mean', { axes: [1] }, [rows], [vector], origin);
    builder.node(
      'fully_connected',
      { clamp: [-128, 127] },
      [vector, weights([3, 8]), null],
      [logits],
      origin,
    );
    const { graph } = trainingGraph(builder.build([logits]), scheme({ biases: 1 }));
    expect(verifyGraph(graph)).toEqual([]);
    expect(graph.nodes.filter(({ op }) => op === 'quantized_average_pool2d_gradient')).toHaveLength(2);
  });

  it.each([
    ['more biases than layers', { biases: 99 }, /RV5001/],
    ['a layer that is not there', { weights: [{ layer: 99, ratio: 1 }] }, /RV5001/],
    ['a channel that is not there', { weights: [{ layer: last - 1, ratio: 1, channels: [9999] }] }, /RV5001/],
  ])('refuses %s', (_, fields, message) => {
    expect(() => trainingGraph(digits, scheme(fields))).toThrow(message);
  });
});
