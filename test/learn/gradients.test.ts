/**
 * Gradients in integers, through each operator, against those of the same network in real numbers; and the same bytes from
 * the definition and from a device.
 */
import { describe, expect, it } from 'vitest';
import { gradientGraph } from '../../src/autodiff/training.ts';
import { asBytes } from '../../src/core/dtype.ts';
import { patternBytes } from '../../src/core/random.ts';
import type { Graph, Shape, ValueId } from '../../src/ir/types.ts';
import { floatTwin } from '../../src/learn/float-twin.ts';
import { parseScheme } from '../../src/learn/scheme.ts';
import { inferencePart } from '../../src/learn/split.ts';
import { trainingGraph } from '../../src/learn/training-graph.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { initialStates, runReference } from '../../src/run/reference.ts';
import { LINEAR, type Middle, networkWith, SHAPE } from '../support/one-operator.ts';
import { compareSteps } from '../support/training-steps.ts';

const CLAMP = { clamp: [-128, 127] } as const;
const PLAIN = { alignCorners: false, halfPixelCenters: false };
const HALF = { alignCorners: false, halfPixelCenters: true };
const CORNERS = { alignCorners: true, halfPixelCenters: false };

/** Joins y with something made of it, so that two gradients meet. */
const MIDDLES: Readonly<Record<string, Middle>> = {
  add: (p, y) => p.op('add', CLAMP, [y, p.constant(SHAPE, 0.02, -7)], SHAPE),
  'add to itself': (p, y) => p.op('add', CLAMP, [y, y], SHAPE, { scale: 0.1 }),
  'add of a row that is repeated': (p, y) => {
    const row = p.op('mean', { axes: [1] }, [y], [1, 1, 6, 8]);
    return p.op('add', CLAMP, [row, y], SHAPE);
  },
  'add with ReLU': (p, y) =>
    p.op('add', { clamp: [-128, 127] }, [y, p.constant(SHAPE, 0.02)], SHAPE, { zeroPoint: -128 }),
  sub: (p, y) => p.op('sub', CLAMP, [p.constant(SHAPE, 0.02, 5), y], SHAPE),
  'sub of a column that is repeated': (p, y) => {
    const column = p.op('mean', { axes: [2] }, [y], [1, 4, 1, 8]);
    return p.op('sub', CLAMP, [y, column], SHAPE);
  },
  'sub of channels that are repeated': (p, y) => {
    const one = p.op('mean', { axes: [3] }, [y], [1, 4, 6, 1]);
    return p.op('sub', CLAMP, [one, y], SHAPE);
  },
  mul: (p, y) => p.op('mul', CLAMP, [y, p.constant(SHAPE, 0.02, 9)], SHAPE),
  'mul with itself': (p, y) => p.op('mul', CLAMP, [y, y], SHAPE, { scale: 0.2 }),
  'mul with a number for each pixel': (p, y) => {
    const one = p.op('mean', { axes: [3] }, [y], [1, 4, 6, 1]);
    return p.op('mul', CLAMP, [one, y], SHAPE);
  },
  'mul with one for each channel': (p, y) => {
    const one = p.op('mean', { axes: [1, 2] }, [y], [1, 1, 1, 8]);
    return p.op('mul', CLAMP, [y, one], SHAPE);
  },
  maximum: (p, y) => p.op('maximum', {}, [y, p.constant(SHAPE, 0.05, 3)], SHAPE),
  'maximum with channels': (p, y) => p.op('maximum', {}, [p.constant([8], 0.05, 3), y], SHAPE),
  minimum: (p, y) => p.op('minimum', {}, [p.constant(SHAPE, 0.05, 3), y], SHAPE),
  prelu: (p, y) => p.op('prelu', {}, [y, p.constant([1, 1, 8], 0.005)], SHAPE),
  'prelu with all slopes its own': (p, y) => p.op('prelu', {}, [y, p.constant([4, 6, 8], 0.005)], SHAPE),
  relu: (p, y) => p.op('relu', { clamp: [3, 127] }, [y], SHAPE),
  'leaky ReLU': (p, y) => p.op('leaky_relu', { alpha: 0.3 }, [y], SHAPE),
  'hard swish': (p, y) => p.op('hard_swish', {}, [y], SHAPE),
  logistic: (p, y) => p.op('logistic', {}, [y], SHAPE, { scale: 1 / 256, zeroPoint: -128 }),
  tanh: (p, y) => p.op('tanh', {}, [y], SHAPE, { scale: 1 / 128, zeroPoint: 0 }),
  quantize: (p, y) => p.op('quantize', {}, [y], SHAPE, { scale: 0.07, zeroPoint: -20 }),
  reshape: (p, y) => p.op('reshape', {}, [y], [1, 8, 24]),
  transpose: (p, y) => p.op('transpose', { permutation: [0, 3, 1, 2] }, [y], [1, 8, 4, 6]),
  'transpose of three turned round': (p, y) =>
    p.op('transpose', { permutation: [0, 2, 3, 1] }, [y], [1, 6, 8, 4]),
  pad: (p, y) => p.op('pad', { before: [0, 1, 0, 2], after: [0, 0, 3, 1], value: 3 }, [y], [1, 5, 9, 11]),
  'concat of three, of which two learn': (p, y) => {
    const ins = [y, p.constant([1, 4, 6, 3], 0.05, 3), p.op('relu', { clamp: [3, 127] }, [y], SHAPE)];
    return p.op('concat', { axis: 3 }, ins, [1, 4, 6, 19]);
  },
  'concat of rows': (p, y) =>
    p.op('concat', { axis: 1 }, [p.constant([1, 2, 6, 8], 0.05, 3), y], [1, 6, 6, 8]),
  slice: (p, y) => p.op('slice', { begin: [0, 1, 2, 3], strides: [1, 1, 1, 1] }, [y], [1, 2, 3, 4]),
  'slice with strides': (p, y) =>
    p.op('slice', { begin: [0, 0, 1, 0], strides: [1, 3, 2, 1] }, [y], [1, 2, 3, 8]),
  'slice backwards': (p, y) =>
    p.op('slice', { begin: [0, 3, 5, 0], strides: [1, -1, -2, 1] }, [y], [1, 4, 3, 8]),
  'mean of columns and channels': (p, y) => p.op('mean', { axes: [2, 3] }, [y], [1, 4], { scale: 0.02 }),
  'mean of channels': (p, y) => p.op('mean', { axes: [3] }, [y], [1, 4, 6], { scale: 0.02 }),
  'mean of pixels': (p, y) => p.op('mean', { axes: [1, 2] }, [y], [1, 8], { scale: 0.02 }),
  'average pool': (p, y) =>
    p.op(
      'average_pool2d',
      { kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], ...CLAMP },
      [y],
      [1, 2, 3, 8],
    ),
  'max pool': (p, y) =>
    p.op(
      'max_pool2d',
      { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0], ...CLAMP },
      [y],
      [1, 2, 3, 8],
    ),
  'nearest, larger': (p, y) => p.op('resize_nearest', PLAIN, [y], [1, 9, 7, 8]),
  'nearest, smaller': (p, y) => p.op('resize_nearest', HALF, [y], [1, 3, 5, 8]),
  'bilinear, larger': (p, y) => p.op('resize_bilinear', HALF, [y], [1, 8, 13, 8]),
  'bilinear, corners': (p, y) => p.op('resize_bilinear', CORNERS, [y], [1, 7, 5, 8]),
  softmax: (p, y) => p.op('softmax', { beta: 1 }, [y], SHAPE, { scale: 1 / 256, zeroPoint: -128 }),
  'softmax with a beta': (p, y) =>
    p.op('softmax', { beta: 0.4 }, [y], SHAPE, { scale: 1 / 256, zeroPoint: -128 }),
  'conv2d in groups': (p, y) =>
    p.op(
      'conv2d',
      { ...LINEAR, padding: [1, 1, 1, 1] },
      [y, p.constant([4, 3, 3, 4], 0.003), null],
      [1, 4, 6, 4],
    ),
  'depthwise with two outputs for each input': (p, y) =>
    p.op(
      'depthwise_conv2d',
      { ...LINEAR, stride: [2, 1], padding: [1, 0, 1, 1] },
      [y, p.constant([1, 3, 3, 16], 0.004), null],
      [1, 2, 6, 16],
    ),
  'fully connected, of rows': (p, y) => {
    const rows = p.op('reshape', {}, [y], [24, 8]);
    return p.op('fully_connected', CLAMP, [rows, p.constant([5, 8]), null], [24, 5]);
  },
  'transposed convolution': (p, y) =>
    p.op(
      'transpose_conv2d',
      { stride: [2, 2], padding: [1, 0, 0, 1], ...CLAMP } as never,
      [y, p.constant([5, 3, 3, 8], 0.004), null],
      [1, 8, 12, 5],
    ),
};

/** The convolution before the operator and the classifier learn; what is between them is frozen. */
const SCHEME = { weights: [{ layer: 0, ratio: 1 }] };

/** The gradient of y in integers, as real numbers, and in real numbers. */
function gradients(graph: Graph, seed: number): { integer: number[]; real: number[] } {
  const { graph: training } = trainingGraph(graph, parseScheme(JSON.stringify(SCHEME), 'test'));
  expect(verifyGraph(training)).toEqual([]);
  const image = patternBytes(
    valueShape(training, training.inputs[0]!).reduce((a, b) => a * b, 1),
    seed,
  );
  const states = initialStates(training);
  const bytes = [new Uint8Array(image.buffer), asBytes(Int32Array.of(seed % 3)), asBytes(Float32Array.of(0))];
  const made = new Map<ValueId, readonly number[]>();
  let integer: number[] = [];
  runReference(
    training,
    bytes,
    (node, outputs) => {
      for (const [i, id] of node.outs.entries()) made.set(id, Array.from(outputs[i]!.data as Int8Array));
      if (node.op !== 'bias_update' || node.origin.name !== 'first') return;
      const exponent = Number(states.get(node.ins[1]!)!.data[0]);
      integer = made.get(node.ins[0]!)!.map((value) => value * 2 ** exponent);
    },
    states,
  );
  const { graph: twin } = floatTwin(inferencePart(training), 1);
  const input = Float32Array.from(image, (value) => (((value << 24) >> 24) - 3) * 0.05);
  const outputs = runReference(gradientGraph(twin, 'loss', ['y']), [asBytes(input), bytes[1]!]);
  return { integer, real: Array.from(new Float32Array(outputs[2]!.slice().buffer)) };
}

function valueShape(graph: Graph, id: ValueId): Shape {
  return graph.values.get(id)!.shape;
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, each, i) => sum + each * b[i]!, 0);

describe('the gradient in integers through', () => {
  it.each(Object.entries(MIDDLES))('%s', (_, middle) => {
    const graph = networkWith(middle);
    for (const seed of [1, 2, 3]) {
      const { integer, real } = gradients(graph, seed);
      expect(integer).toHaveLength(real.length);
      const cosine = dot(integer, real) / Math.sqrt(dot(integer, integer) * dot(real, real));
      const size = Math.sqrt(dot(integer, integer) / dot(real, real));
      expect(cosine).toBeGreaterThan(0.95);
      expect(Math.abs(size - 1)).toBeLessThan(0.12);
    }
  });
});

const steps = (middle: Middle, core: 'host' | 'cortex-m4') =>
  compareSteps({
    graph: networkWith(middle),
    scheme: SCHEME,
    core,
    inputMode: 'resident',
    steps: 3,
    rates: [0.05],
  });

describe('three steps, byte for byte, on the host through', () => {
  it.each(Object.entries(MIDDLES))('%s', async (_, middle) => {
    await steps(middle, 'host');
  });
});

/** Those whose gradient needs a kernel of its own, or one that the core has instructions for. */
const ON_DEVICE = [
  'mul with one for each channel',
  'concat of three, of which two learn',
  'slice with strides',
  'nearest, larger',
  'bilinear, larger',
  'softmax',
  'conv2d in groups',
  'fully connected, of rows',
  'transposed convolution',
];

describe('three steps, byte for byte, on a Cortex-M4 through', () => {
  it.each(ON_DEVICE)('%s', async (name) => {
    await steps(MIDDLES[name]!, 'cortex-m4');
  });
});
