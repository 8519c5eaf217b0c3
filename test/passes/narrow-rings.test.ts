import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import type { ConvolutionAttributes, OpName, Pair } from '../../src/ir/attributes.ts';
import type { Graph } from '../../src/ir/types.ts';
import { lower } from '../../src/lower/lower.ts';
import { bias, int8, weights } from '../../src/ops/case.ts';
import { macsOf } from '../../src/ops/view.ts';
import { narrowRings, narrowSites } from '../../src/passes/narrow-rings.ts';
import type { Pass } from '../../src/passes/rewrite.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { pushRows } from '../../src/schedule/push.ts';
import { stream } from '../../src/schedule/stream.ts';
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
  const along = (size: number, axis: 0 | 1, window: number, { padding, stride }: ConvolutionAttributes) =>
    Math.floor((size + padding[2 * axis]! + padding[2 * axis + 1]! - window) / stride[axis]) + 1;
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

const ALL: Pass = {
  name: 'narrow-rings',
  summary: 'every site',
  run: (graph) => narrowRings(graph, new Set(narrowSites(graph).map(({ id }) => id))),
};

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
    const fused = expectRewritten(ALL, graph, ['expand_depthwise2d']);
    expect(totalMacs(fused) - totalMacs(graph)).toBe(site!.extraMacs);
  });

  it('counts the rows that are expanded again and the ring that is saved', () => {
    // Eight rows at stride 1: 3 * 8 - 2 window rows lie inside, 14 more than there are.
    expect(narrowSites(blockOf({}))).toEqual([{ id: 1, extraMacs: 14 * 6 * 3 * 12, ringBytes: 3 * 6 * 12 }]);
    // Stride 2, no padding above: 3 * 4 - 1 window rows, 3 more than there are.
    const strided = blockOf({ depthwise: { stride: [2, 2], padding: [0, 1, 0, 1] } });
    expect(narrowSites(strided)).toEqual([{ id: 1, extraMacs: 3 * 6 * 3 * 12, ringBytes: 3 * 6 * 12 }]);
  });

  it('fuses only what is chosen', () => {
    const graph = blockOf({});
    expect(narrowRings(graph, new Set([0, 7]))).toEqual(graph);
  });

  it('keeps the place in the model', () => {
    const graph = blockOf({});
    expect(ALL.run(graph).nodes[0]!.origin).toEqual(graph.nodes[1]!.origin);
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
    expectUntouched(ALL, graph);
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
    expectUntouched(ALL, g.build(y));
  });
});

describe.skipIf(!HAS_SHARED)('narrow rings in a real model', () => {
  const { graph } = compile(modelBytes('vww'), { file: 'vww.tflite' });
  const narrowed = ALL.run(graph);
  const ops = (op: OpName): number => narrowed.nodes.filter((node) => node.op === op).length;

  it('fuses every block but the first', () => {
    expect(ops('expand_depthwise2d')).toBe(narrowSites(graph).length);
    expect(ops('depthwise_conv2d')).toBe(1);
  });

  it('gives the golden outputs, streamed', async () => {
    const { program, plan } = stream(pushRows(lower(narrowed)));
    const executor = await WasmExecutor.create(program, plan);
    for (const [seed, expected] of goldenOutputs('vww')) {
      executor.dirty(seed);
      const outputs = executor.run([patternInput(program.inputs[0]!.bytes, seed)]);
      expect(outputs.flatMap((bytes) => [...new Int8Array(bytes.buffer)])).toEqual(expected);
    }
  });
});
