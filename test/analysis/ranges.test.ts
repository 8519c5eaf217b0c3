/** Ranges hold everything that is ever observed, are as narrow as they can be where that is known, and say what wraps. */
import { describe, expect, it } from 'vitest';
import { rangesOf } from '../../src/analysis/ranges.ts';
import type { ConvolutionAttributes, NodeAttributes, OpName } from '../../src/ir/attributes.ts';
import type { Graph, TensorType } from '../../src/ir/types.ts';
import { isByteType } from '../../src/ops/bytes.ts';
import { type CaseOperand, constant, float32, int8, opCase } from '../../src/ops/case.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { removeConstantChannels } from '../../src/passes/remove-constant-channels.ts';
import { runReference } from '../../src/run/reference.ts';
import { expectUntouched, GraphSketch } from '../passes/graphs.ts';
import { samplesOf } from '../support/corners.ts';
import { plantedGraph } from '../support/planted-graph.ts';
import { describeGraph, randomGraph } from '../support/random-graph.ts';

const GRAPHS = Number(process.env.RIVULET_FUZZ ?? 200);

/** The first observed element outside its interval, in words. */
function escaped(graph: Graph, samples = samplesOf(graph)): string | null {
  const ranges = rangesOf(graph)!;
  let found: string | null = null;
  for (const inputs of samples) {
    runReference(graph, inputs, (node, [output]) => {
      const channels = ranges.channels(node.outs[0]!);
      if (!isByteType(output!.dtype)) {
        expect(channels).toEqual([]);
        return;
      }
      expect(channels).toHaveLength(output!.shape.at(-1) ?? 1);
      output!.data.forEach((value: number | bigint, i: number) => {
        const { lo, hi } = channels[i % channels.length]!;
        if (value < lo || value > hi) {
          found ??= `${node.origin.name}[${i}] is ${value}, outside [${lo}, ${hi}]\n${describeGraph(graph)}`;
        }
      });
    });
  }
  return found;
}

describe('what is observed lies in its interval', () => {
  it.each(Object.entries(ALL_CASES))('%s', (_, cases) => {
    for (const { graph } of cases) expect(escaped(graph)).toBeNull();
  });

  it('random graphs', () => {
    for (let seed = 0; seed < GRAPHS; ++seed) expect(escaped(randomGraph(seed, 1 + (seed % 12)))).toBeNull();
  });

  it('planted graphs', () => {
    for (let seed = 0; seed < GRAPHS; ++seed) expect(escaped(plantedGraph(seed))).toBeNull();
  });
});

const X = int8([1, 2, 2, 2], 0.5, -100);
const NO_PADDING: ConvolutionAttributes = {
  stride: [1, 1],
  dilation: [1, 1],
  padding: [0, 0, 0, 0],
  clamp: [-128, 127],
};

function typed(type: TensorType, data: Int8Array | Int32Array) {
  return { ...type, data };
}

/** Weights [1, 2, 2, 2] of one output that sees the whole of X. */
const FILTER = typed(int8([1, 2, 2, 2], 0.01), Int8Array.of(3, -2, 0, 5, -1, -7, 4, 0));
const BIAS = typed({ shape: [1], dtype: 'int32' }, Int32Array.of(1000));

function oneNode<K extends OpName>(
  op: K,
  attrs: NodeAttributes[K],
  operands: readonly CaseOperand[],
  output: TensorType,
) {
  const { graph } = opCase('case', op, attrs, operands, output);
  const ranges = rangesOf(graph)!;
  return {
    graph,
    ranges,
    node: graph.nodes[0]!,
    channels: ranges.channels(graph.outputs[0]!).map(({ lo, hi }) => [lo, hi]),
  };
}

describe('accumulators', () => {
  const output = int8([1, 1, 1, 1], 0.01, 0);

  it('have exactly the extremes that inputs can reach', () => {
    const { ranges, node, graph, channels } = oneNode('conv2d', NO_PADDING, [X, FILTER, BIAS], output);
    // Positive weights sum to 12, negative ones to -10; x - Z is in [-28, 227].
    expect(ranges.accumulators(node)).toEqual([
      { lo: 1000 - 12 * 28 - 10 * 227, hi: 1000 + 12 * 227 + 10 * 28 },
    ]);
    expect(ranges.largestAccumulator(node)).toBe(1000 + 12 * 227 + 10 * 28);
    expect(ranges.overflows(node)).toBe(false);
    const extremes = [(w: number) => w > 0, (w: number) => w < 0].map((high) => {
      const x = Int8Array.from(FILTER.data as Int8Array, (w) => (high(w) ? 127 : -128));
      return new Int8Array(runReference(graph, [new Uint8Array(x.buffer)])[0]!.buffer)[0];
    });
    expect(channels).toEqual([[extremes[1], extremes[0]]]);
  });

  it('count padding as the zero point, which may lie outside what the channel holds', () => {
    const g = new GraphSketch();
    const relu = g.node('relu', { clamp: [-90, 127] }, [g.input(X)], X);
    const [w, b] = [FILTER, BIAS].map((operand) => g.constant(operand));
    const padded = { ...NO_PADDING, padding: [1, 0, 0, 0] as const };
    const graph = g.build(g.node('conv2d', padded, [relu, w!, b!], int8([1, 2, 1, 1], 0.01, 0)));
    // x - Z is in [10, 227], and 0 where it is padded.
    expect(rangesOf(graph)!.accumulators(graph.nodes[1]!)).toEqual([
      { lo: 1000 - 10 * 227, hi: 1000 + 12 * 227 },
    ]);
  });

  it.each([
    [2 ** 31 - 1 - 3004, 127, false],
    [2 ** 31 - 3004, 127, true],
    [-(2 ** 31) + 2606, -128, false],
    [-(2 ** 31) + 2605, -128, true],
  ])('with a bias of %i are known only as long as they fit int32', (start, saturated, overflows) => {
    const bias = typed({ shape: [1], dtype: 'int32' }, Int32Array.of(start));
    const { ranges, node, channels } = oneNode('conv2d', NO_PADDING, [X, FILTER, bias], output);
    expect(ranges.overflows(node)).toBe(overflows);
    expect(channels).toEqual(overflows ? [[-128, 127]] : [[saturated, saturated]]);
  });

  it('that requantisation shifts out of int32 say nothing about the output', () => {
    const coarse = { ...X, quantization: { scales: [2 ** 18], zeroPoints: [-100], axis: 0 } };
    expect(oneNode('conv2d', NO_PADDING, [coarse, FILTER, BIAS], int8([1, 1, 1, 1], 0.001)).channels).toEqual(
      [[-128, 127]],
    );
  });
});

describe('operators', () => {
  const wide = int8([1, 1, 3], 0.1, -20);

  it('look tables up over the interval alone', () => {
    const clamped = constant(int8([1, 1, 3], 0.1, -20), 1);
    const data = Int8Array.of(-30, -20, 40);
    expect(oneNode('relu', { clamp: [-20, 30] }, [{ ...clamped, data }], wide).channels).toEqual([
      [-20, -20],
      [-20, -20],
      [30, 30],
    ]);
    expect(oneNode('relu', { clamp: [-20, 30] }, [wide], wide).channels).toEqual(Array(3).fill([-20, 30]));
  });

  it('keep channels apart where they are joined, and together where they are mixed', () => {
    const part = typed(int8([1, 1, 1], 0.1, -20), Int8Array.of(5));
    const joined = int8([1, 1, 4], 0.1, -20);
    expect(oneNode('concat', { axis: 2 }, [part, wide], joined).channels).toEqual([
      [5, 5],
      ...Array(3).fill([-128, 127]),
    ]);
    const known = typed(int8([1, 2, 2], 0.1, -20), Int8Array.of(1, -2, 3, -4));
    expect(oneNode('reshape', {}, [known], int8([4], 0.1, -20)).channels).toEqual([
      [1, 3],
      [-4, -2],
      [1, 3],
      [-4, -2],
    ]);
    expect(oneNode('transpose', { permutation: [0, 2, 1] }, [known], known).channels).toEqual([
      [-4, 3],
      [-4, 3],
    ]);
  });

  it('add what the extremes add to', () => {
    const known = typed(int8([1, 1, 3], 0.1, -20), Int8Array.of(-20, 10, 127));
    const { channels } = oneNode('add', { clamp: [-128, 100] }, [known, known], wide);
    expect(channels).toEqual([
      [-20, -20],
      [40, 40],
      [100, 100],
    ]);
  });

  it('count channels of dense layers as the shape of the result does', () => {
    const x = typed(int8([2, 1], 0.1, 0), Int8Array.of(10, 10));
    const w = typed(int8([4, 1], 0.1), Int8Array.of(10, 20, 30, 40));
    const full = { clamp: [-128, 127] } as const;
    const { channels } = oneNode('fully_connected', full, [x, w, null], int8([2, 2, 2], 0.5, 0));
    expect(channels).toEqual([
      [2, 6],
      [4, 8],
    ]);
  });

  it('take the mean of all that are mixed', () => {
    const known = typed(int8([1, 2, 2], 0.1, -20), Int8Array.of(10, 20, 30, 50));
    const y = int8([1, 2], 0.1, -20);
    expect(oneNode('mean', { axes: [2] }, [known], y).channels).toEqual(Array(2).fill([10, 50]));
    expect(oneNode('mean', { axes: [1] }, [known], y).channels).toEqual([
      [10, 30],
      [20, 50],
    ]);
  });

  it('know nothing of products that are shifted out of int32', () => {
    const known = typed(int8([1, 1, 3], 2 ** 10, 0), Int8Array.of(0, 50, 127));
    const full = { clamp: [-128, 127] } as const;
    // 50 * 50 * 2^20 is 0 modulo 2^22, and negative for other factors.
    expect(oneNode('mul', full, [known, known], int8([1, 1, 3], 1, 0)).channels).toEqual(
      Array(3).fill([-128, 127]),
    );
    expect(oneNode('mul', full, [known, known], int8([1, 1, 3], 2 ** 6, 0)).channels).toEqual([
      [0, 0],
      [127, 127],
      [127, 127],
    ]);
  });

  it('know nothing of floats, and of what is made from them only the type', () => {
    expect(oneNode('quantize', {}, [float32([1, 1, 3])], wide).channels).toEqual(Array(3).fill([-128, 127]));
    expect(oneNode('dequantize', {}, [wide], float32([1, 1, 3])).channels).toEqual([]);
  });
});

it('are computed once for a graph', () => {
  const graph = plantedGraph(1);
  expect(rangesOf(graph)).toBe(rangesOf(graph)!);
});

it('are not sought where a file declares more channels than any network has', () => {
  const endless = int8([1, 300_000], 0.1);
  const { graph } = opCase('relu', 'relu', { clamp: [-128, 127] }, [endless], endless);
  expect(rangesOf(graph)).toBeNull();
  expectUntouched(removeConstantChannels, graph);
});
