import { describe, expect, it } from 'vitest';
import { RivuletError } from '../../src/core/diagnostics.ts';
import { createRandom } from '../../src/core/random.ts';
import { importTflite } from '../../src/import/tflite.ts';
import type { Graph, ValueId } from '../../src/ir/types.ts';
import { lower } from '../../src/lower/lower.ts';
import { bias, constant, int8, weights } from '../../src/ops/case.ts';
import { runPasses } from '../../src/passes/pipeline.ts';
import { twoPass, twoPassSites } from '../../src/passes/two-pass.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { pushRows } from '../../src/schedule/push.ts';
import { stream } from '../../src/schedule/stream.ts';
import { goldenOutputs, HAS_SHARED, modelBytes, patternInput } from '../support/shared.ts';
import { CONVOLUTION, FULL, GraphSketch, POOL } from './graphs.ts';
import { expectSameBytes, macsOfGraph, SCHEDULES } from './rewritten.ts';

type Reduction = 'mean' | 'two means' | 'pooling' | 'transposed' | 'dense';

interface BlockOptions {
  readonly size: number;
  readonly channels: number;
  readonly wide: number;
  readonly kernel: number;
  readonly stride: number;
  readonly reduction: Reduction;
  /** The activation behind the depthwise operator, written as its parts. */
  readonly hardSwish: boolean;
}

const BLOCK: BlockOptions = {
  size: 7,
  channels: 3,
  wide: 8,
  kernel: 3,
  stride: 1,
  reduction: 'mean',
  hardSwish: false,
};

/** Network parts in the form that exporters write them. */
class SqueezeSketch extends GraphSketch {
  private seed = 1;

  pointwise(
    x: ValueId,
    channels: number,
    [height, width]: readonly [number, number],
    inputs: number,
  ): ValueId {
    return this.node(
      'conv2d',
      CONVOLUTION,
      [x, this.weights([channels, 1, 1, inputs], 0), this.constant(bias(channels, this.seed++))],
      int8([1, height, width, channels], 0.06, -3),
    );
  }

  depthwise(x: ValueId, { wide, kernel, stride }: BlockOptions, size: number): ValueId {
    const pad = kernel >> 1;
    return this.node(
      'depthwise_conv2d',
      { ...CONVOLUTION, stride: [stride, stride], padding: [pad, pad, pad, pad] },
      [x, this.weights([1, kernel, kernel, wide], 3), null],
      int8([1, size, size, wide], 0.05, 4),
    );
  }

  /** T * relu6(T + 3). */
  hardSwish(x: ValueId, shape: readonly number[]): ValueId {
    const three = this.constant(constant(int8([1], 0.03), this.seed++));
    const shifted = this.node('add', FULL, [x, three], int8(shape, 0.05, 4));
    return this.node('mul', FULL, [x, shifted], int8(shape, 0.05, 4));
  }

  gate(x: ValueId, size: number, channels: number, reduction: Reduction): ValueId {
    const one = [1, 1] as const;
    const mean = this.reduce(x, size, channels, reduction);
    if (reduction === 'dense') {
      const flat = this.node('reshape', {}, [mean], int8([1, channels], 0.05, 4));
      const w = this.weights([channels, channels], 0);
      const dense = this.node('fully_connected', FULL, [flat, w, null], int8([1, channels], 0.03, 1));
      return this.node('logistic', {}, [dense], int8([1, channels], 1 / 256, -128));
    }
    const squeezed = this.pointwise(mean, 2, one, channels);
    const excited = this.pointwise(squeezed, channels, one, 2);
    return this.node('logistic', {}, [excited], int8([1, 1, 1, channels], 1 / 256, -128));
  }

  /** A whole block; `size` is that of its input. */
  block(x: ValueId, options: BlockOptions): ValueId {
    const { size, channels, wide, stride, reduction } = options;
    const small = Math.floor((size - 1) / stride) + 1;
    const expanded = this.pointwise(x, wide, [size, size], channels);
    const spatial = this.depthwise(expanded, options, small);
    const shape = [1, small, small, wide];
    const t = options.hardSwish ? this.hardSwish(spatial, shape) : spatial;
    const gate = this.gate(t, small, wide, reduction);
    const operands = reduction === 'pooling' ? [gate, t] : [t, gate];
    const product = this.node('mul', FULL, operands, int8(shape, 0.04, 2));
    const projected = this.pointwise(product, channels, [small, small], wide);
    return stride === 1
      ? this.node('add', FULL, [projected, x], int8([1, small, small, channels], 0.08, 0))
      : projected;
  }

  weights(shape: readonly number[], axis: number): ValueId {
    return this.constant(weights(shape, axis, this.seed++));
  }

  private reduce(x: ValueId, size: number, channels: number, reduction: Reduction): ValueId {
    const type = int8([1, 1, 1, channels], 0.05, 4);
    if (reduction === 'pooling') {
      return this.node('average_pool2d', { ...POOL, kernel: [size, size] }, [x], type);
    }
    if (reduction === 'two means') {
      const row = this.node('mean', { axes: [2] }, [x], int8([1, size, 1, channels], 0.05, 4));
      return this.node('mean', { axes: [1] }, [row], type);
    }
    if (reduction === 'transposed') {
      const planar = this.node(
        'transpose',
        { permutation: [0, 3, 1, 2] },
        [x],
        int8([1, channels, size, size], 0.05, 4),
      );
      const mean = this.node('mean', { axes: [2, 3] }, [planar], int8([1, channels], 0.05, 4));
      return this.node('reshape', {}, [mean], type);
    }
    return this.node('mean', { axes: [1, 2] }, [x], type);
  }
}

/** Blocks one after the other. */
function network(...blocks: readonly Partial<BlockOptions>[]): Graph {
  const g = new SqueezeSketch();
  let options = BLOCK;
  let x = g.input(int8([1, BLOCK.size, BLOCK.size, BLOCK.channels]));
  for (const block of blocks) {
    options = { ...options, ...block };
    x = g.block(x, options);
    options = { ...options, size: Math.floor((options.size - 1) / options.stride) + 1 };
  }
  return g.build(x);
}

describe('two-pass squeeze-and-excite', () => {
  const REDUCTIONS: readonly Reduction[] = ['mean', 'two means', 'pooling', 'transposed', 'dense'];
  it.each(REDUCTIONS)('computes the wide tensor twice around a gate by %s', async (reduction) => {
    const graph = network({ reduction });
    const [site, ...others] = twoPassSites(graph);
    expect(others).toEqual([]);
    expect(site).toMatchObject({ bytes: 7 * 7 * 8, extraMacs: 7 * 7 * 8 * (3 + 9) });
    const result = twoPass(graph, [site!.id]);
    expect(macsOfGraph(result) - macsOfGraph(graph)).toBe(site!.extraMacs);
    expect(result.nodes.length).toBe(graph.nodes.length + 2);
    expect(twoPassSites(result)).toEqual([]);
    await expectSameBytes(graph, result);
  });

  it('repeats the copies right before the product, with the origins of the first', () => {
    const graph = network({});
    const result = twoPass(
      graph,
      twoPassSites(graph).map(({ id }) => id),
    );
    expect(result.nodes.map(({ op }) => op).join(' ')).toBe(
      'conv2d depthwise_conv2d mean conv2d conv2d logistic conv2d depthwise_conv2d mul conv2d add',
    );
    expect(result.nodes.slice(6, 8).map(({ origin }) => origin)).toEqual(
      result.nodes.slice(0, 2).map(({ origin }) => origin),
    );
    // The gate reads the first copy, the product the second.
    expect(result.nodes[2]!.ins).toEqual(result.nodes[1]!.outs);
    expect(result.nodes[8]!.ins[0]).toBe(result.nodes[7]!.outs[0]);
  });

  it('repeats an activation that reads its operand twice', async () => {
    const graph = network({ hardSwish: true, kernel: 5 });
    const [site] = twoPassSites(graph);
    const result = twoPass(graph, [site!.id]);
    expect(result.nodes.length).toBe(graph.nodes.length + 4);
    await expectSameBytes(graph, result);
  });

  it('rewrites any choice of blocks, in any order', async () => {
    const graph = network({}, { wide: 12, kernel: 5, stride: 2 }, { stride: 1, reduction: 'dense' });
    const ids = twoPassSites(graph).map(({ id }) => id);
    expect(ids.length).toBe(3);
    const [a, b, c] = ids as [ValueId, ValueId, ValueId];
    expect(twoPass(graph, [])).toEqual(graph);
    for (const chosen of [[a], [b], [c, a], [b, c], [a, b, c]]) {
      const result = twoPass(graph, chosen);
      expect(twoPassSites(result).map(({ id }) => id)).toEqual(ids.filter((id) => !chosen.includes(id)));
      await expectSameBytes(graph, result, ['whole']);
    }
    expect(macsOfGraph(twoPass(graph, [c, a, b]))).toBe(macsOfGraph(twoPass(graph, ids)));
  });

  it('streams without the wide tensor', () => {
    const graph = network({ size: 7, wide: 24 }, {}, {});
    const sites = twoPassSites(graph);
    const result = twoPass(
      graph,
      sites.map(({ id }) => id),
    );
    const arena = (g: Graph): number => stream(pushRows(lower(g))).plan.arenaBytes;
    expect(arena(graph)).toBeGreaterThan(sites[0]!.bytes);
    expect(arena(result)).toBeLessThan(sites[0]!.bytes);
  });

  it('is exact on random blocks', async () => {
    for (let seed = 1; seed <= 24; ++seed) {
      const random = createRandom(seed);
      const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
      const block = (): Partial<BlockOptions> => ({
        wide: pick([5, 8, 13]),
        kernel: pick([1, 3, 5, 7]),
        stride: pick([1, 1, 2, 3]),
        reduction: pick(REDUCTIONS),
        hardSwish: pick([true, false]),
      });
      const graph = network(block(), block());
      const chosen = twoPassSites(graph).filter(() => random() < 0.8);
      const result = twoPass(
        graph,
        chosen.map(({ id }) => id),
      );
      await expectSameBytes(graph, result, [pick(SCHEDULES)]);
    }
  });

  describe('finds no site', () => {
    const image = int8([1, 5, 5, 4]);
    const vector = int8([1, 1, 1, 4]);
    const pool = { ...POOL, kernel: [5, 5] } as const;
    const GRAPHS: Readonly<Record<string, () => Graph>> = {
      'where the wide tensor is the input of the model': () => {
        const g = new GraphSketch();
        const x = g.input(image);
        return g.build(g.node('mul', FULL, [x, g.node('average_pool2d', pool, [x], vector)], image));
      },
      'where nothing before the wide tensor is smaller': () => {
        const g = new GraphSketch();
        const x = g.node('relu', FULL, [g.input(image)], image);
        return g.build(g.node('mul', FULL, [x, g.node('average_pool2d', pool, [x], vector)], image));
      },
      'where the gate comes from elsewhere': () => {
        const g = new SqueezeSketch();
        const x = g.input(image);
        const wide = g.pointwise(x, 8, [5, 5], 4);
        const other = g.pointwise(x, 8, [5, 5], 4);
        const mean = g.node('mean', { axes: [1, 2] }, [other], int8([1, 1, 1, 8]));
        return g.build(g.node('mul', FULL, [wide, mean], int8([1, 5, 5, 8])));
      },
      'where the gate has a value for each pixel': () => {
        const g = new SqueezeSketch();
        const wide = g.pointwise(g.input(image), 8, [5, 5], 4);
        const gate = g.node('logistic', {}, [wide], int8([1, 5, 5, 8], 1 / 256, -128));
        return g.build(g.node('mul', FULL, [wide, gate], int8([1, 5, 5, 8])));
      },
      'where the wide tensor is an output': () => {
        const g = new SqueezeSketch();
        const wide = g.pointwise(g.input(image), 8, [5, 5], 4);
        const mean = g.node('mean', { axes: [1, 2] }, [wide], int8([1, 1, 1, 8]));
        return g.build(g.node('mul', FULL, [wide, mean], int8([1, 5, 5, 8])), wide);
      },
    };
    it.each(Object.entries(GRAPHS))('%s', (_, graph) => {
      expect(twoPassSites(graph())).toEqual([]);
      expect(() => twoPass(graph(), [1])).toThrow(RivuletError);
      expect(() => twoPass(graph(), [1])).toThrow(/RV3001.*\n.*\n.*no such block/);
    });
  });

  it('names the sites when it is given something else', () => {
    const graph = network({});
    const [site] = twoPassSites(graph);
    expect(() => twoPass(graph, [0])).toThrow(`one of ${site!.id} (operator 1 (depthwise_conv2d)`);
    expect(() => twoPass(graph, [site!.id, site!.id])).toThrow('RV3001');
  });
});

describe.skipIf(!HAS_SHARED)('two-pass on mcunetv2_large', () => {
  const graphOf = () => runPasses(importTflite(modelBytes('mcunetv2_large'), 'mcunetv2_large').graph, 'int8');

  /** Extra MACs in percent of one inference; the planning study gives the same. */
  const CHOICES: readonly (readonly [blocks: readonly number[], percent: number])[] = [
    [[0, 1], 11.28],
    [[0, 1, 2], 13.41],
    [[0, 1, 2, 7, 8, 9], 23.85],
  ];
  it.each(CHOICES)('computes blocks %j twice for %f % more MACs', (blocks, percent) => {
    const graph = graphOf();
    const sites = twoPassSites(graph);
    expect(sites.length).toBe(13);
    const extra = blocks.reduce((sum, block) => sum + sites[block]!.extraMacs, 0);
    expect((100 * extra) / macsOfGraph(graph)).toBeCloseTo(percent, 1);
  });

  it('gives the golden bytes from half the memory', async () => {
    const graph = graphOf();
    const sites = twoPassSites(graph);
    const result = twoPass(
      graph,
      [0, 1, 2].map((block) => sites[block]!.id),
    );
    const streamed = stream(pushRows(lower(result)));
    expect(streamed.plan.arenaBytes).toBeLessThan(121_000);
    const executor = await WasmExecutor.create(streamed.program, streamed.plan);
    const [seed, output] = [...goldenOutputs('mcunetv2_large')][0]!;
    executor.dirty(5);
    const [bytes] = executor.run([patternInput(streamed.program.inputs[0]!.bytes, seed)]);
    expect([...new Int8Array(bytes!.buffer, bytes!.byteOffset, bytes!.length)]).toEqual(output);
  }, 300_000);
});
