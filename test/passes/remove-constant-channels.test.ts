import { describe, expect, it } from 'vitest';
import { rangesOf } from '../../src/analysis/ranges.ts';
import type { ConvolutionAttributes, OpName } from '../../src/ir/attributes.ts';
import {
  type Graph,
  type Node,
  requireValue,
  type TensorType,
  type Value,
  type ValueId,
} from '../../src/ir/types.ts';
import { bias, int8, weights } from '../../src/ops/case.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import type { RemovedChannels } from '../../src/passes/removal-log.ts';
import { removeConstantChannels } from '../../src/passes/remove-constant-channels.ts';
import { runReference } from '../../src/run/reference.ts';
import { samplesOf } from '../support/corners.ts';
import { plantedGraph } from '../support/planted-graph.ts';
import { describeGraph } from '../support/random-graph.ts';
import { CONVOLUTION, expectUntouched, FULL, GraphSketch, POOL } from './graphs.ts';

const GRAPHS = Number(process.env.RIVULET_FUZZ ?? 300);
const BATCH = 100;

/** Operators in planted graphs that can do without some of their output channels. */
const SHEDDING = [
  ...['add', 'average_pool2d', 'concat', 'conv2d', 'depthwise_conv2d', 'fully_connected', 'leaky_relu'],
  ...['logistic', 'max_pool2d', 'mean', 'mul', 'pad', 'prelu', 'quantize', 'relu', 'reshape'],
  ...['resize_bilinear', 'resize_nearest', 'slice', 'sub', 'transpose', 'transpose_conv2d'],
];

function channelsOf(graph: Graph, id: number): number {
  return requireValue(graph, id).shape.at(-1)!;
}

describe('planted networks', () => {
  const lost = new Map<OpName, number>();
  const batches = Array.from({ length: Math.ceil(GRAPHS / BATCH) }, (_, i) => i * BATCH);

  it.each(batches)('compute the same bytes with fewer channels, from seed %i', (first) => {
    for (let seed = first; seed < Math.min(first + BATCH, GRAPHS); ++seed) {
      const graph = plantedGraph(seed);
      expect(verifyGraph(graph)).toEqual([]);
      const result = removeConstantChannels.run(graph);
      const context = `seed ${seed}\n${describeGraph(graph)}`;
      expect(verifyGraph(result), context).toEqual([]);
      for (const inputs of samplesOf(graph)) {
        expect(runReference(result, inputs), context).toEqual(runReference(graph, inputs));
      }
      expect(result.outputs).toEqual(graph.outputs);
      for (const node of result.nodes) {
        const [before, after] = [graph, result].map((g) => channelsOf(g, node.outs[0]!)) as [number, number];
        if (after === before) continue;
        expect(after % 4, context).toBe(0);
        expect(after, context).toBeGreaterThan(0);
        lost.set(node.op, (lost.get(node.op) ?? 0) + 1);
      }
      expect(removeConstantChannels.run(result), context).toBe(result);
    }
  });

  it('lose channels of every operator that can shed them', () => {
    expect([...lost.keys()].toSorted()).toEqual(SHEDDING);
  });
});

const X = int8([1, 3, 3, 2], 0.05, 3);
const WIDE = int8([1, 3, 3, 12], 0.1, -20);
const SAME = { ...CONVOLUTION, padding: [1, 1, 1, 1] } as const;

interface Planted {
  /** By channel, what it holds for every input: 12 numbers or `null` for channels that vary. */
  readonly held: readonly (number | null)[];
  readonly type?: TensorType;
}

/** A pointwise convolution of x to channels of which some hold one value: their weights are zero. */
function expansion(g: GraphSketch, x: ValueId, { held, type = WIDE }: Planted): ValueId {
  const w = weights([held.length, 1, 1, 2], 0, 1, 0.1);
  const data = (w.data as Int8Array).map((value, i) => (held[Math.floor(i / 2)] === null ? value : 0));
  const zero = type.quantization!.zeroPoints[0]!;
  const multiplier = (o: number): number => (0.05 * w.quantization!.scales[o]!) / 0.1;
  const b = Int32Array.from(held, (value, o) =>
    value === null ? 10 * o : Math.round((value - zero) / multiplier(o)),
  );
  const ins = [x, g.constant({ ...w, data }), g.constant({ shape: [held.length], dtype: 'int32', data: b })];
  return g.node('conv2d', CONVOLUTION, ins, {
    ...type,
    shape: [...type.shape.slice(0, 3), held.length],
  });
}

function project(
  g: GraphSketch,
  x: ValueId,
  channels = 12,
  attrs: ConvolutionAttributes = CONVOLUTION,
): ValueId {
  const size = attrs.padding[0] === 0 ? 1 : 3;
  const ins = [x, g.constant(weights([3, size, size, channels], 0, 5)), g.constant(bias(3, 6))];
  return g.node('conv2d', attrs, ins, int8([1, 3, 3, 3], 0.2, 9));
}

/** Channels of the value that node `index` computes before and after. */
function countsAt(graph: Graph, index: number): [number, number] {
  const id = graph.nodes[index]!.outs[0]!;
  return [channelsOf(graph, id), channelsOf(removeConstantChannels.run(graph), id)];
}

function expectSame(graph: Graph): Graph {
  const result = removeConstantChannels.run(graph);
  expect(verifyGraph(result)).toEqual([]);
  for (const inputs of samplesOf(graph)) {
    expect(runReference(result, inputs)).toEqual(runReference(graph, inputs));
  }
  return result;
}

const LIVE = null;
/** Four channels of twelve vary. */
const EIGHT_HELD = [5, LIVE, 5, -60, LIVE, 7, LIVE, 5, 5, LIVE, 100, -128];

describe('a constant channel', () => {
  it('goes, and the reader has its share in the bias', () => {
    const g = new GraphSketch();
    const graph = g.build(project(g, expansion(g, g.input(X), { held: EIGHT_HELD })));
    expect(
      rangesOf(graph)!
        .channels(graph.nodes[0]!.outs[0]!)
        .map(({ lo, hi }) => (lo === hi ? lo : LIVE)),
    ).toEqual(EIGHT_HELD);
    const result = expectSame(graph);
    const [expand, reader] = result.nodes;
    const parameters = (node: Node): Value[] => node.ins.slice(1).map((id) => requireValue(result, id!));
    expect(parameters(expand!).map(({ shape }) => shape)).toEqual([[4, 1, 1, 2], [4]]);
    expect(parameters(reader!).map(({ shape }) => shape)).toEqual([[3, 1, 1, 4], [3]]);
    // The scales go with their channels.
    const scales = requireValue(graph, graph.nodes[0]!.ins[1]!).quantization!.scales;
    expect(parameters(expand!)[0]!.quantization!.scales).toEqual([1, 4, 6, 9].map((o) => scales[o]));
    const w = requireValue(graph, graph.nodes[1]!.ins[1]!).data as Int8Array;
    const b = requireValue(graph, graph.nodes[1]!.ins[2]!).data as Int32Array;
    const folded = b.map((start, o) =>
      EIGHT_HELD.reduce<number>(
        (sum, held, c) => sum + (held === LIVE ? 0 : w[12 * o + c]! * (held + 20)),
        start,
      ),
    );
    expect(parameters(reader!)[1]!.data).toEqual(folded);
  });

  it('makes a bias where there was none', () => {
    const g = new GraphSketch();
    const x = expansion(g, g.input(X), { held: EIGHT_HELD });
    const w = g.constant(weights([3, 1, 1, 12], 0, 5));
    const graph = g.build(g.node('conv2d', CONVOLUTION, [x, w, null], int8([1, 3, 3, 3], 0.2, 9)));
    expect(expectSame(graph).nodes[1]!.ins[2]).not.toBeNull();
  });

  it.each([
    ['its zero point', -20, 4],
    ['another value', -19, 12],
  ])('before padding goes if it holds %s', (_, held, left) => {
    const g = new GraphSketch();
    const values = EIGHT_HELD.map((value) => (value === LIVE ? LIVE : held));
    const graph = g.build(project(g, expansion(g, g.input(X), { held: values }), 12, SAME));
    expect(countsAt(graph, 0)).toEqual([12, left]);
    expectSame(graph);
  });

  it('goes through a depthwise convolution and pooling to who sums it', () => {
    const g = new GraphSketch();
    const held = EIGHT_HELD.map((value) => (value === LIVE ? LIVE : -20));
    const x = expansion(g, g.input(X), { held });
    const ins = [x, g.constant(weights([1, 3, 3, 12], 3, 8)), g.constant(bias(12, 9))];
    const y = g.node('depthwise_conv2d', SAME, ins, WIDE);
    const pool = { ...POOL, kernel: [1, 1] } as const;
    const graph = g.build(project(g, g.node('max_pool2d', pool, [y], WIDE)));
    expect([0, 1, 2].map((i) => countsAt(graph, i)[1])).toEqual([4, 4, 4]);
    expectSame(graph);
  });

  it('goes where only the depthwise convolution after it makes it constant', () => {
    const g = new GraphSketch();
    const x = expansion(g, g.input(X), { held: Array(8).fill(LIVE) });
    // The bias saturates the upper half.
    const saturating = Int32Array.from({ length: 8 }, (_, c) => (c < 4 ? c : -(2 ** 28)));
    const ins = [
      x,
      g.constant(weights([1, 3, 3, 8], 3, 8)),
      g.constant({ shape: [8], dtype: 'int32', data: saturating }),
    ];
    const y = g.node('depthwise_conv2d', SAME, ins, { ...WIDE, shape: [1, 3, 3, 8] });
    const graph = g.build(project(g, y, 8));
    expect([0, 1].map((i) => countsAt(graph, i))).toEqual([
      [8, 4],
      [8, 4],
    ]);
    expectSame(graph);
  });

  it('stays where a residual needs it', () => {
    const sum = (other: Planted['held']): Graph => {
      const g = new GraphSketch();
      const x = g.input(X);
      const [a, b] = [expansion(g, x, { held: EIGHT_HELD }), expansion(g, x, { held: other })];
      return g.build(project(g, g.node('add', FULL, [a, b], { ...WIDE, quantization: X.quantization! })));
    };
    const varying = sum(Array(12).fill(LIVE));
    expectUntouched(removeConstantChannels, varying);
    const constant = sum(EIGHT_HELD.map((value) => (value === LIVE ? LIVE : 11)));
    expect([0, 1, 2].map((i) => countsAt(constant, i)[1])).toEqual([4, 4, 4]);
    expectSame(constant);
  });

  it('stays where the bias would leave int32', () => {
    const g = new GraphSketch();
    const x = expansion(g, g.input(X), { held: EIGHT_HELD });
    const w = { ...weights([1, 1, 1, 12], 0, 5), data: new Int8Array(12).fill(127) };
    const top = g.constant({ shape: [1], dtype: 'int32', data: Int32Array.of(2 ** 31 - 1 - 127 * 27) });
    const graph = g.build(g.node('conv2d', CONVOLUTION, [x, g.constant(w), top], int8([1, 3, 3, 1], 0.2, 9)));
    expectUntouched(removeConstantChannels, graph);
  });

  it.each([
    ['of eleven others', 12, 11, 12],
    ['of nine others, with two of its kind', 12, 9, 12],
    ['of eight others, with three of its kind', 12, 8, 8],
    ['of five others, with three of its kind', 8, 5, 8],
    ['of five others, with one of its kind', 6, 5, 6],
    ['alone among its kind', 12, 0, 4],
    ['of few', 3, 1, 3],
  ])('%s leaves a count that suits kernels', (_, count, live, left) => {
    const g = new GraphSketch();
    const held = Array.from({ length: count }, (__, c) => (c < live ? LIVE : 5));
    const graph = g.build(project(g, expansion(g, g.input(X), { held }), count));
    expect(countsAt(graph, 0)).toEqual([count, left]);
    expectSame(graph);
  });

  it('stays in an output, before a softmax, and in groups', () => {
    const g = new GraphSketch();
    const x = expansion(g, g.input(X), { held: EIGHT_HELD });
    const soft = g.node('softmax', { beta: 1 }, [x], int8(WIDE.shape, 1 / 256, -128));
    const w = g.constant(weights([12, 1, 1, 6], 0, 5));
    const grouped = g.node('conv2d', CONVOLUTION, [x, w, null], WIDE);
    expectUntouched(removeConstantChannels, g.build(project(g, x), x));
    expectUntouched(removeConstantChannels, g.build(project(g, x), soft));
    expectUntouched(removeConstantChannels, g.build(project(g, x), grouped));
  });

  it('goes beside an operand that all channels share', () => {
    const g = new GraphSketch();
    const x = expansion(g, g.input(X), { held: EIGHT_HELD });
    const factor = g.input(int8([1, 1, 1, 1], 0.02, 40));
    // The factor may be anything but is the same for all channels; where it meets the zero point the result is known.
    const held = EIGHT_HELD.map((value) => (value === LIVE ? LIVE : -20));
    const zeros = expansion(g, g.input(X), { held });
    const y = g.node('mul', FULL, [zeros, factor], WIDE);
    const graph = g.build(
      project(g, g.node('add', FULL, [x, y], { ...WIDE, quantization: X.quantization! })),
    );
    expect([0, 1, 2, 3].map((i) => countsAt(graph, i)[1])).toEqual([4, 4, 4, 4]);
    expectSame(graph);
  });

  it('stays where an operator mixes channels with as many of something else', () => {
    const square = { ...WIDE, shape: [1, 1, 12, 12] };
    // The reader hears only the first four of twelve.
    const w = weights([3, 12], 0, 4);
    const deaf = { ...w, data: (w.data as Int8Array).map((value, i) => (i % 12 < 4 ? value : 0)) };
    const mixed = (mix: (g: GraphSketch, x: ValueId) => ValueId, vectors: readonly number[]): Graph => {
      const g = new GraphSketch();
      const x = expansion(g, g.input(int8([1, 1, 12, 2], 0.05, 3)), { held: EIGHT_HELD, type: square });
      const ins = [mix(g, x), g.constant(deaf), null];
      return g.build(g.node('fully_connected', FULL, ins, int8([...vectors, 3], 0.2, 9)));
    };
    const mean = (g: GraphSketch, x: ValueId) =>
      g.node('mean', { axes: [3] }, [x], { ...WIDE, shape: [1, 1, 12] });
    expectUntouched(removeConstantChannels, mixed(mean, [1, 1]));
    const transpose = (g: GraphSketch, x: ValueId) =>
      g.node('transpose', { permutation: [0, 1, 3, 2] }, [x], square);
    expectUntouched(removeConstantChannels, mixed(transpose, [1, 1, 12]));
  });

  it('stays where a dense layer counts its outputs in another way than their shape', () => {
    const g = new GraphSketch();
    const zeros = { ...weights([24, 18], 0, 1), data: new Int8Array(24 * 18) };
    const y = g.node(
      'fully_connected',
      FULL,
      [g.input(X), g.constant(zeros), null],
      int8([1, 2, 12], 0.1, 1),
    );
    const ins = [y, g.constant(weights([3, 12], 0, 4)), null];
    expectUntouched(
      removeConstantChannels,
      g.build(g.node('fully_connected', FULL, ins, int8([1, 2, 3], 0.2, 9))),
    );
  });

  it('stays where a reader cuts the elements into other runs', () => {
    const dense = new GraphSketch();
    const x = expansion(dense, dense.input(X), { held: EIGHT_HELD });
    const ins = [x, dense.constant(weights([3, 18], 0, 4)), null];
    const y = dense.node('fully_connected', FULL, ins, int8([6, 3], 0.2, 9));
    expectUntouched(removeConstantChannels, dense.build(y));
    const reshape = new GraphSketch();
    const wide = expansion(reshape, reshape.input(X), { held: EIGHT_HELD });
    const narrow = reshape.node('reshape', {}, [wide], { ...WIDE, shape: [1, 3, 6, 6] });
    const z = reshape.node('mean', { axes: [1, 2] }, [narrow], int8([1, 6], 0.1, -20));
    const heard = reshape.constant(weights([3, 6], 0, 4));
    const head = reshape.node('fully_connected', FULL, [z, heard, null], int8([1, 3], 0.2, 9));
    expectUntouched(removeConstantChannels, reshape.build(head));
  });

  it('leaves weights alone that another convolution shares', () => {
    const g = new GraphSketch();
    const x = g.input(WIDE);
    const w = g.constant(weights([3, 1, 1, 12], 0, 5));
    const y = expansion(g, g.input(X), { held: EIGHT_HELD });
    const outputs = [x, y].map((from) =>
      g.node('conv2d', CONVOLUTION, [from, w, null], int8([1, 3, 3, 3], 0.2, 9)),
    );
    const result = expectSame(g.build(...outputs));
    expect(result.nodes.map((node) => requireValue(result, node.ins[1]!).shape.at(-1))).toEqual([2, 12, 4]);
  });
});

describe('a channel that nobody reads', () => {
  it('goes, and what was computed for it alone', () => {
    const g = new GraphSketch();
    const narrow = expansion(g, g.input(X), { held: Array(8).fill(LIVE) });
    const middle = weights([8, 1, 1, 8], 0, 3);
    // The upper half of the outputs reads the upper half of the inputs, the lower half the lower.
    const apart = (middle.data as Int8Array).map((w, i) => (i % 8 < 4 === Math.floor(i / 8) < 4 ? w : 0));
    const type = { ...WIDE, shape: [1, 3, 3, 8] };
    const wide = g.node('conv2d', CONVOLUTION, [narrow, g.constant({ ...middle, data: apart }), null], type);
    const last = weights([3, 1, 1, 8], 0, 4);
    const deaf = (last.data as Int8Array).map((w, i) => (i % 8 < 4 ? w : 0));
    const graph = g.build(
      g.node(
        'conv2d',
        CONVOLUTION,
        [wide, g.constant({ ...last, data: deaf }), null],
        int8([1, 3, 3, 3], 0.2, 9),
      ),
    );
    expect([0, 1].map((i) => countsAt(graph, i)[1])).toEqual([4, 4]);
    expect(expectSame(graph).nodes[2]!.ins[2]).toBeNull();
  });
});

describe('the log', () => {
  it('names channels as the model counts them, what they save, and the proof', () => {
    const g = new GraphSketch();
    const graph = g.build(project(g, expansion(g, g.input(X), { held: EIGHT_HELD })));
    const log: RemovedChannels[] = [];
    removeConstantChannels.run(graph, (removed) => log.push(removed));
    expect(log.map(({ origin, proof, ...rest }) => [origin.index, rest])).toEqual([
      [0, { channels: [0, 2, 3, 5, 7, 8, 10, 11], of: 12, macs: 216, macsSaved: 144 }],
      [1, { channels: [], of: 3, macs: 324, macsSaved: 216 }],
    ]);
    expect(log[0]!.proof).toMatch(
      /^4 always 5, accumulators within \[\d+, \d+\]; 1 always -60, .*; 2 always another value$/,
    );
    expect(log[1]!.proof).toBe('8 input channels fewer, their share is in the bias');
  });

  it('goes on counting so where channels go one after the other', () => {
    const g = new GraphSketch();
    const held = Array.from({ length: 12 }, (_, c) => (c < 4 ? 5 : LIVE));
    const x = expansion(g, g.input(X), { held });
    const [middle, last] = [weights([8, 1, 1, 12], 0, 3), weights([3, 1, 1, 8], 0, 4)];
    // Channels 4 to 7 are read by outputs that nobody reads.
    const apart = (middle.data as Int8Array).map((w, i) => (i < 48 && i % 12 >= 4 && i % 12 < 8 ? 0 : w));
    const deaf = (last.data as Int8Array).map((w, i) => (i % 8 < 4 ? w : 0));
    const y = g.node('conv2d', CONVOLUTION, [x, g.constant({ ...middle, data: apart }), null], {
      ...WIDE,
      shape: [1, 3, 3, 8],
    });
    const ins = [y, g.constant({ ...last, data: deaf }), null];
    const graph = g.build(g.node('conv2d', CONVOLUTION, ins, int8([1, 3, 3, 3], 0.2, 9)));
    expectSame(graph);
    const log: RemovedChannels[] = [];
    removeConstantChannels.run(graph, (removed) => log.push(removed));
    expect(log.map(({ channels }) => channels)).toEqual([[0, 1, 2, 3, 4, 5, 6, 7], [4, 5, 6, 7], []]);
    expect(log[0]!.proof).toMatch(
      /^4 always 5, .*; 4 reach no output: whatever they hold, their readers give the same$/,
    );
  });
});
