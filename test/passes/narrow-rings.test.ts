import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import type { ConvolutionAttributes, Pair } from '../../src/ir/attributes.ts';
import type { Graph } from '../../src/ir/types.ts';
import { lower } from '../../src/lower/lower.ts';
import { bias, int8, weights } from '../../src/ops/case.ts';
import { windowOutput } from '../../src/ops/convolution.ts';
import { macsOf } from '../../src/ops/view.ts';
import { narrowRings, narrowSites } from '../../src/passes/narrow-rings.ts';
import type { Pass } from '../../src/passes/rewrite.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { pushRows } from '../../src/schedule/push.ts';
import { stream } from '../../src/schedule/stream.ts';
import { inputsFor } from '../support/inputs.ts';
import { goldenOutputs, HAS_SHARED, modelBytes, patternInput } from '../support/shared.ts';
import { CONVOLUTION, expectRewritten, expectUntouched, FULL, GraphSketch } from './graphs.ts';

const X = int8([1, 8, 6, 3], 0.05, -7);

/** What a block of `blockOf` has out of the ordinary. */
interface Oddities {
  readonly expand?: Partial<ConvolutionAttributes>;
  readonly kernel?: Pair;
  /** Input channels that an expansion weight sees. */
  readonly group?: number;
  readonly channels?: number;
  readonly multiplier?: number;
  readonly isOutput?: boolean;
  /** Reads the expanded tensor beside the depthwise convolution. */
  readonly reader?: boolean;
  readonly biases?: boolean;
  readonly depthwise?: Partial<ConvolutionAttributes>;
}

/** x -> expansion to twelve channels -> 3x3 depthwise of the same size. */
function blockOf(odd: Oddities): Graph {
  const { channels = 12, kernel = [1, 1], group = 3, multiplier = 1, biases = true } = odd;
  const g = new GraphSketch();
  const expand = { ...CONVOLUTION, ...odd.expand };
  const depthwise = { ...CONVOLUTION, padding: [1, 1, 1, 1] as const, ...odd.depthwise };
  const along = (size: number, axis: 0 | 1, window: number, attrs: ConvolutionAttributes) => {
    const [before, after] = [attrs.padding[2 * axis]!, attrs.padding[2 * axis + 1]!];
    return windowOutput(size, window, attrs.stride[axis], attrs.dilation[axis], before, after);
  };
  const middle = ([8, 6] as const).map((size, axis) => along(size, axis as 0 | 1, kernel[axis]!, expand));
  const final = middle.map((size, axis) => along(size, axis as 0 | 1, 3, depthwise));
  const biasOf = (count: number, seed: number) => (biases ? g.constant(bias(count, seed)) : null);
  const x = g.input(X);
  const m = g.node(
    'conv2d',
    expand,
    [x, g.constant(weights([channels, ...kernel, group], 0, 1)), biasOf(channels, 3)],
    int8([1, middle[0]!, middle[1]!, channels], 0.06, 11),
  );
  const count = channels * multiplier;
  const y = g.node(
    'depthwise_conv2d',
    depthwise,
    [m, g.constant(weights([1, 3, 3, count], 3, 5)), biasOf(count, 7)],
    int8([1, final[0]!, final[1]!, count], 0.04, -3),
  );
  const outputs = [y, ...(odd.isOutput ? [m] : [])];
  if (odd.reader) outputs.push(g.node('relu', FULL, [m], int8([1, middle[0]!, middle[1]!, channels])));
  return g.build(...outputs);
}

const idsOf = (graph: Graph): Set<number> => new Set(narrowSites(graph).map(({ id }) => id));

const RECOMPUTE: Pass = {
  name: 'narrow-rings, recomputed',
  summary: 'every site expands again',
  run: (graph) => narrowRings(graph, idsOf(graph)),
};
const CARRY: Pass = {
  name: 'narrow-rings, carried',
  summary: 'every site keeps the rows that the next window needs',
  run: (graph) => narrowRings(graph, new Set(), idsOf(graph)),
};
const WAYS = [RECOMPUTE, CARRY];

const totalMacs = (graph: Graph): number => graph.nodes.reduce((sum, node) => sum + macsOf(graph, node), 0);

describe('narrow-rings', () => {
  const FUSED: Readonly<Record<string, Oddities>> = {
    'a block of stride 1': {},
    'stride 2 with asymmetric padding': { depthwise: { stride: [2, 2], padding: [0, 1, 0, 1] } },
    'bounds of both operators': { expand: { clamp: [11, 90] }, depthwise: { clamp: [-3, 70] } },
    'absent biases': { biases: false },
    'an odd number of channels': { channels: 5 },
  };
  it.each(Object.entries(FUSED))('fuses %s', (_, odd) => {
    const graph = blockOf(odd);
    const [site] = narrowSites(graph);
    const recomputed = expectRewritten(RECOMPUTE, graph, ['expand_depthwise2d']);
    expect(totalMacs(recomputed) - totalMacs(graph)).toBe(site!.extraMacs);
    const carried = expectRewritten(CARRY, graph, ['expand_depthwise2d']);
    expect(totalMacs(carried)).toBe(totalMacs(graph));
  });

  it('counts the rows that are expanded again, the ring that is saved and the rows that are carried', () => {
    const row = 6 * 12;
    // Eight rows at stride 1: 3 * 8 - 2 window rows lie inside, 14 more than there are.
    const site = { id: 1, extraMacs: 14 * row * 3, ringBytes: 3 * row, carriedBytes: 2 * row };
    expect(narrowSites(blockOf({}))).toEqual([site]);
    // Stride 2, no padding above: 3 * 4 - 1 window rows, 3 more than there are.
    const strided = blockOf({ depthwise: { stride: [2, 2], padding: [0, 1, 0, 1] } });
    expect(narrowSites(strided)).toEqual([{ ...site, extraMacs: 3 * row * 3, carriedBytes: row }]);
  });

  it('fuses only what is chosen', () => {
    const graph = blockOf({});
    expect(narrowRings(graph, new Set([0, 7]), new Set([0, 7]))).toEqual(graph);
  });

  it('recomputes what is chosen both ways', () => {
    const [node] = narrowRings(blockOf({}), new Set([1]), new Set([1])).nodes;
    expect(node!.attrs).toMatchObject({ carries: false });
  });

  it('does not carry rows that windows do not share', () => {
    for (const depthwise of [{ stride: [3, 1] }, { dilation: [2, 1], padding: [2, 2, 1, 1] }] as const) {
      const graph = blockOf({ depthwise });
      expect(narrowSites(graph)[0]!.carriedBytes).toBeNull();
      expectUntouched(CARRY, graph);
      expectRewritten(RECOMPUTE, graph, ['expand_depthwise2d']);
    }
  });

  it('keeps the place in the model', () => {
    const graph = blockOf({});
    for (const way of WAYS) expect(way.run(graph).nodes[0]!.origin).toEqual(graph.nodes[1]!.origin);
  });

  const REFUSED: Readonly<Record<string, Oddities>> = {
    'an expanded tensor with another reader': { reader: true },
    'an expanded tensor that is an output': { isOutput: true },
    'an expansion with a window': { kernel: [3, 1], expand: { padding: [1, 1, 0, 0] } },
    'an expansion with a wide window': { kernel: [1, 3], expand: { padding: [0, 0, 1, 1] } },
    'an expansion with padding': { expand: { padding: [0, 1, 0, 0] } },
    'an expansion with vertical stride': { expand: { stride: [2, 1] } },
    'an expansion with horizontal stride': { expand: { stride: [1, 2] } },
    'an expansion in groups': { group: 1 },
    'a convolution that does not expand': { channels: 3 },
    'more channels than the depthwise reads': { multiplier: 2 },
  };
  it.each(Object.entries(REFUSED))('leaves %s', (_, odd) => {
    const graph = blockOf(odd);
    expect(narrowSites(graph)).toEqual([]);
    for (const way of WAYS) expectUntouched(way, graph);
  });

  it('leaves a depthwise convolution that reads anything else', () => {
    const g = new GraphSketch();
    const attrs = { ...CONVOLUTION, padding: [1, 1, 1, 1] as const };
    const y = g.node(
      'depthwise_conv2d',
      attrs,
      [g.input(X), g.constant(weights([1, 3, 3, 3], 3, 1)), null],
      X,
    );
    expectUntouched(RECOMPUTE, g.build(y));
  });
});

describe('a stream through random blocks', () => {
  const extent = (min: number, max: number) => fc.integer({ min, max });
  const block = fc.record({
    size: fc.tuple(extent(1, 12), extent(1, 9)),
    inChannels: extent(1, 4),
    more: extent(1, 7),
    batch: extent(1, 2),
    kernel: fc.tuple(extent(1, 7), extent(1, 7)),
    stride: fc.tuple(extent(1, 3), extent(1, 3)),
    padding: fc.tuple(extent(0, 3), extent(0, 3), extent(0, 3), extent(0, 3)),
    zeroPoint: extent(-128, 127),
  });
  type Block = typeof block extends fc.Arbitrary<infer T> ? T : never;

  /** x -> convolution -> expansion -> depthwise, so that rings lie on both sides; null if the window does not fit. */
  function graphOf({
    size,
    inChannels,
    more,
    batch,
    kernel,
    stride,
    padding,
    zeroPoint,
  }: Block): Graph | null {
    const along = (axis: 0 | 1): number =>
      windowOutput(size[axis], kernel[axis], stride[axis], 1, padding[2 * axis]!, padding[2 * axis + 1]!);
    const [height, width] = [along(0), along(1)];
    if (height < 1 || width < 1) return null;
    const channels = inChannels + more;
    const image = (count: number, zero: number) => int8([batch, ...size, count], 0.05, zero);
    const g = new GraphSketch();
    const first = g.constant(weights([inChannels, 3, 3, 2], 0, 1));
    const same: ConvolutionAttributes = { ...CONVOLUTION, padding: [1, 1, 1, 1] };
    const x = g.node('conv2d', same, [g.input(image(2, 3)), first, null], image(inChannels, -4));
    const expansion = [
      g.constant(weights([channels, 1, 1, inChannels], 0, 3)),
      g.constant(bias(channels, 5)),
    ];
    const m = g.node('conv2d', CONVOLUTION, [x, ...expansion], image(channels, zeroPoint));
    const taps = [g.constant(weights([1, ...kernel, channels], 3, 7)), g.constant(bias(channels, 9))];
    const output = int8([batch, height, width, channels], 0.08, 9);
    return g.build(g.node('depthwise_conv2d', { ...CONVOLUTION, stride, padding }, [m, ...taps], output));
  }

  it.each(WAYS)('$name', async (way) => {
    const property = fc.asyncProperty(block, async (value) => {
      const graph = graphOf(value);
      if (graph === null) return;
      const inputs = inputsFor(graph, 5);
      const { program, plan } = stream(pushRows(lower(way.run(graph))));
      const executor = await WasmExecutor.create(program, plan);
      executor.dirty(77);
      expect(executor.run(inputs)).toEqual(runReference(graph, inputs));
    });
    await fc.assert(property, { numRuns: 40, seed: 1 });
  }, 60_000);
});

describe.skipIf(!HAS_SHARED)('a real model', () => {
  it.each(WAYS)('gives the golden outputs as a stream: $name', async (way) => {
    const { graph } = compile(modelBytes('vww'), { file: 'vww.tflite' });
    const narrowed = way.run(graph);
    const ops = narrowed.nodes.map(({ op }) => op);
    expect(ops.filter((op) => op === 'expand_depthwise2d')).toHaveLength(narrowSites(graph).length);
    expect(ops.filter((op) => op === 'depthwise_conv2d')).toHaveLength(1);
    const { program, plan } = stream(pushRows(lower(narrowed)));
    const executor = await WasmExecutor.create(program, plan);
    for (const [seed, expected] of goldenOutputs('vww')) {
      executor.dirty(seed);
      const outputs = executor.run([patternInput(program.inputs[0]!.bytes, seed)]);
      expect(outputs.flatMap((bytes) => [...new Int8Array(bytes.buffer)])).toEqual(expected);
    }
  });
});
