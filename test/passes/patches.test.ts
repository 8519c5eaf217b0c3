import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/core/random.ts';
import { importTflite } from '../../src/import/tflite.ts';
import type { Pair } from '../../src/ir/attributes.ts';
import type { Graph, Shape, TensorType, ValueId } from '../../src/ir/types.ts';
import { lower } from '../../src/lower/lower.ts';
import { bias, constant, int8, weights } from '../../src/ops/case.ts';
import { windowShape } from '../../src/ops/convolution.ts';
import { patches, patchSplits } from '../../src/passes/patches.ts';
import { runPasses } from '../../src/passes/pipeline.ts';
import { plan } from '../../src/plan/plan.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { describeGraph } from '../support/random-graph.ts';
import { goldenOutputs, HAS_SHARED, modelBytes, patternInput } from '../support/shared.ts';
import { CONVOLUTION, FULL, GraphSketch, POOL } from './graphs.ts';
import { expectSameBytes, macsOfGraph } from './rewritten.ts';

interface Image {
  readonly id: ValueId;
  readonly type: TensorType;
}

/** Chains of images; every operator takes the last result. */
class ImageSketch extends GraphSketch {
  private seed = 1;

  image(shape: Shape): Image {
    const type = int8(shape, 0.05, -7);
    return { id: this.input(type), type };
  }

  /** A convolution, or a depthwise one where `channels` is null; padded by half its reach, plus `more` at the end. */
  conv(
    x: Image,
    channels: number | null,
    kernel: Pair,
    stride: Pair = [1, 1],
    dilation: Pair = [1, 1],
    more = 0,
  ): Image {
    const [top, left] = [0, 1].map((axis) => ((kernel[axis]! - 1) * dilation[axis]!) >> 1) as [
      number,
      number,
    ];
    const padding = [top, top + more, left, left + more] as const;
    const inputs = x.type.shape[3]!;
    const size = windowShape(x.type, kernel, stride, dilation, padding);
    const type = int8([x.type.shape[0]!, ...size, channels ?? inputs], 0.3, 5);
    const w =
      channels === null
        ? weights([1, ...kernel, inputs], 3, this.seed++)
        : weights([channels, ...kernel, inputs], 0, this.seed++);
    const ins = [x.id, this.constant(w), this.constant(bias(channels ?? inputs, this.seed++))];
    const op = channels === null ? 'depthwise_conv2d' : 'conv2d';
    return { id: this.node(op, { ...CONVOLUTION, stride, dilation, padding }, ins, type), type };
  }

  pool(x: Image, op: 'average_pool2d' | 'max_pool2d', kernel: Pair, stride: Pair): Image {
    const padding = [kernel[0] >> 1, kernel[0] - 1 - (kernel[0] >> 1), 0, kernel[1] >> 1] as const;
    const size = windowShape(x.type, kernel, stride, [1, 1], padding);
    const type = { ...x.type, shape: [x.type.shape[0]!, ...size, x.type.shape[3]!] };
    return { id: this.node(op, { ...POOL, kernel, stride, padding }, [x.id], type), type };
  }

  add(a: Image, b: Image): Image {
    return { id: this.node('add', FULL, [a.id, b.id], a.type), type: a.type };
  }

  concat(a: Image, b: Image): Image {
    const requantised = this.node('quantize', {}, [b.id], { ...a.type, shape: b.type.shape });
    const type = { ...a.type, shape: [...a.type.shape.slice(0, 3), a.type.shape[3]! + b.type.shape[3]!] };
    return { id: this.node('concat', { axis: 3 }, [a.id, requantised], type), type };
  }

  enlarge(x: Image, [down, right]: Pair, halfPixelCenters = false): Image {
    const [batch, height, width, channels] = x.type.shape as [number, number, number, number];
    const type = { ...x.type, shape: [batch, height * down, width * right, channels] };
    const attrs = { alignCorners: false, halfPixelCenters };
    return { id: this.node('resize_nearest', attrs, [x.id], type), type };
  }

  pad(x: Image, amount: number): Image {
    const shape = x.type.shape.map((size, d) => (d === 1 || d === 2 ? size + 2 * amount : size));
    const border = x.type.shape.map((_, d) => (d === 1 || d === 2 ? amount : 0));
    const type = { ...x.type, shape };
    return { id: this.node('pad', { before: border, after: border, value: 11 }, [x.id], type), type };
  }

  swish(x: Image): Image {
    const three = this.constant(constant(int8([1], 0.03), this.seed++));
    const shifted = this.node('add', FULL, [x.id, three], x.type);
    return { id: this.node('mul', FULL, [x.id, shifted], x.type), type: x.type };
  }

  mean(x: Image): Image {
    const [batch, , , channels] = x.type.shape as [number, number, number, number];
    const type = { ...x.type, shape: [batch, 1, 1, channels] };
    return { id: this.node('mean', { axes: [1, 2] }, [x.id], type), type };
  }
}

/** A chain of `length` random layers, some with a second branch. */
function randomChain(seed: number, length: number): Graph {
  const g = new ImageSketch();
  const random = createRandom(seed);
  const integer = (lowest: number, highest: number): number =>
    lowest + Math.floor(random() * (highest - lowest + 1));
  const pair = (lowest: number, highest: number): Pair => [
    integer(lowest, highest),
    integer(lowest, highest),
  ];
  let x = g.image([random() < 0.15 ? 2 : 1, integer(6, 17), integer(6, 17), integer(1, 4)]);
  const layers: readonly (() => Image)[] = [
    () => g.conv(x, integer(1, 5), pair(1, 7), pair(1, 3), [1, 1], integer(0, 1)),
    () => g.conv(x, integer(1, 5), pair(1, 3), [1, 1], pair(1, 2), 1),
    () => g.conv(x, null, pair(1, 7), pair(1, 3), [1, 1], integer(0, 1)),
    () => g.pool(x, random() < 0.5 ? 'average_pool2d' : 'max_pool2d', pair(1, 4), pair(1, 2)),
    () => g.enlarge(x, pair(1, 3), random() < 0.5),
    () => g.swish(x),
    () => g.pad(x, 1),
    () => {
      const y = g.conv(x, x.type.shape[3]!, [3, 3]);
      return g.add(g.conv(y, null, [5, 3]), x.type.quantization === y.type.quantization ? x : y);
    },
    () => g.concat(g.conv(x, 2, [3, 1]), g.conv(x, 3, [1, 5])),
    () => g.add(x, x),
  ];
  for (let made = 0; made < length; ) {
    const { shape } = x.type;
    if (shape[1]! * shape[2]! < 4) break;
    if (shape[1]! * shape[2]! * shape[3]! > 900) x = g.pool(x, 'max_pool2d', [2, 2], [2, 2]);
    x = layers[integer(0, layers.length - 1)]!();
    made += 1;
  }
  return g.build(g.mean(x).id, x.id);
}

/** Stem, bottleneck with a residual, strided bottleneck, head: MobileNet in small. */
function mobile(size: number): Graph {
  const g = new ImageSketch();
  const stem = g.conv(g.image([1, size, size, 3]), 4, [3, 3], [2, 2]);
  const inner = g.conv(g.conv(g.conv(stem, 8, [1, 1]), null, [3, 3]), 4, [1, 1]);
  const sum = g.add(inner, stem);
  const strided = g.conv(g.conv(g.conv(sum, 12, [1, 1]), null, [7, 7], [2, 2]), 6, [1, 1]);
  return g.build(g.mean(strided).id);
}

const MOBILE_SPLITS = [1, 5, 6, 7, 8];

describe('patches', () => {
  it('computes tiles from slices of the image and joins them', async () => {
    const g = new ImageSketch();
    const graph = g.build(g.mean(g.conv(g.image([1, 9, 9, 2]), 3, [3, 3])).id);
    const result = patches(graph, 2, 2, 1);
    expect(result.nodes.map(({ op }) => op).join(' ')).toBe(
      'slice conv2d slice conv2d concat slice conv2d slice conv2d concat concat mean',
    );
    // Rows 0 to 4 and 3 to 8: tiles of 4 and 5 rows, each with one more towards the other.
    const shapes = result.nodes.map(({ outs }) => result.values.get(outs[0]!)!.shape.slice(1, 3).join('x'));
    expect(shapes.join(' ')).toBe('5x5 4x4 5x6 4x5 4x9 6x5 5x4 6x6 5x5 5x9 9x9 1x1');
    const paddings = result.nodes.flatMap((node) =>
      node.op === 'conv2d' ? [node.attrs.padding.join('')] : [],
    );
    expect(paddings).toEqual(['1010', '1001', '0110', '0101']);
    await expectSameBytes(graph, result);
  });

  it.each([
    [1, 3],
    [3, 1],
    [2, 2],
    [3, 4],
  ])('of %i x %i are exact at every split of a small MobileNet', async (rows, columns) => {
    const graph = mobile(17);
    expect(patchSplits(graph)).toEqual(MOBILE_SPLITS);
    for (const count of MOBILE_SPLITS) {
      await expectSameBytes(graph, patches(graph, rows, columns, count), ['whole']);
    }
  });

  it('streams too', async () => {
    const graph = mobile(16);
    for (const count of MOBILE_SPLITS) {
      await expectSameBytes(graph, patches(graph, 2, 2, count), ['stream']);
    }
  });

  it('cuts the operand of a sum that was needed in a larger part', () => {
    const result = patches(mobile(20), 2, 2, 5);
    const sums = result.nodes.filter(({ op }) => op === 'add');
    expect(sums.length).toBe(4);
    for (const { ins } of sums) {
      expect(result.nodes.find(({ outs }) => outs[0] === ins[1])!.op).toBe('slice');
    }
  });

  it('recomputes halos, and nothing where windows do not overlap', () => {
    const graph = mobile(16);
    expect(macsOfGraph(patches(graph, 2, 2, 6))).toBeGreaterThan(macsOfGraph(graph));
    const g = new ImageSketch();
    const tiled = g.build(g.mean(g.conv(g.conv(g.image([1, 16, 16, 2]), 3, [2, 2], [2, 2]), 4, [1, 1])).id);
    expect(macsOfGraph(patches(tiled, 4, 4, 2))).toBe(macsOfGraph(tiled));
  });

  it('leaves the graph alone for a single patch', () => {
    const graph = mobile(16);
    expect(patches(graph, 1, 1, 6)).toBe(graph);
  });

  it('enlarges whole pixels and cuts what a tile does not need', async () => {
    for (const halfPixelCenters of [false, true]) {
      const g = new ImageSketch();
      const enlarged = g.enlarge(g.conv(g.image([1, 5, 6, 2]), 3, [3, 3]), [2, 3], halfPixelCenters);
      const graph = g.build(g.mean(g.conv(enlarged, 2, [3, 3])).id);
      await expectSameBytes(graph, patches(graph, 3, 2, 3), ['whole']);
    }
  });

  it('drops operators that reach nothing', () => {
    const g = new ImageSketch();
    const x = g.image([1, 8, 8, 2]);
    g.conv(x, 3, [3, 3]);
    const result = patches(g.build(g.mean(g.conv(x, 2, [3, 3])).id), 2, 1, 2);
    expect(result.nodes.filter(({ op }) => op === 'conv2d').length).toBe(2);
  });

  it('are exact on random chains', async () => {
    let tried = 0;
    for (let seed = 1; seed <= 50; ++seed) {
      const graph = randomChain(seed, 1 + (seed % 5));
      for (const count of patchSplits(graph)) {
        const split = graph.values.get(graph.nodes[count - 1]!.outs[0]!)!;
        const tiles = [1, 2].map((d) => Math.min(split.shape[d]!, 1 + ((seed + d) % 4)));
        const result = attempt(graph, tiles[0]!, tiles[1]!, count);
        if (result === null) continue;
        tried += 1;
        // Planning many tiles takes long and shows nothing new.
        const schedules = result.nodes.length <= 60 ? (['whole'] as const) : [];
        await expectSameBytes(graph, result, schedules).catch((error: unknown) => {
          throw new Error(`seed ${seed}, ${tiles} after ${count}\n${describeGraph(graph)}`, { cause: error });
        });
      }
    }
    expect(tried).toBeGreaterThan(100);
  }, 120_000);

  /** Null where a tile would consist of padding alone. */
  function attempt(graph: Graph, rows: number, columns: number, count: number): Graph | null {
    try {
      return patches(graph, rows, columns, count);
    } catch (error) {
      expect(String(error)).toMatch(/RV3001.*padding alone/);
      return null;
    }
  }
});

describe('patches are refused', () => {
  it('where more than one tensor crosses', () => {
    expect(() => patches(mobile(16), 2, 2, 3)).toThrow(
      /RV3001 error: patches need a single tensor between the first 3 operators and the rest, here .*"conv2d_0".*\n {2}at operator 2 .*\n {2}hint: split after 1, 5, 6, 7, 8$/,
    );
  });

  it.each([0, -1, 11, 1.5, Number.NaN])('after %d operators', (count) => {
    expect(() => patches(mobile(16), 2, 2, count)).toThrow('RV3001');
  });

  it.each([
    [0, 2],
    [2, 9],
    [1.5, 1],
  ])('in %d x %d on a plane of 8 x 8', (rows, columns) => {
    expect(() => patches(mobile(16), rows, columns, 1)).toThrow('RV3001 error: a plane of 8x8 has no');
  });

  const REFUSED: Readonly<Record<string, [RegExp, (g: ImageSketch, x: Image) => ValueId]>> = {
    'over a mean': [/mean does not compute/, (g, x) => g.node('mul', FULL, [x.id, g.mean(x).id], x.type)],
    'over a bilinear resize': [
      /resize_bilinear does not/,
      (g, x) =>
        g.node('resize_bilinear', { alignCorners: false, halfPixelCenters: false }, [x.id], {
          ...x.type,
          shape: [1, 16, 16, 2],
        }),
    ],
    'over pixels that repeat unevenly': [
      /do not repeat evenly/,
      (g, x) =>
        g.node('resize_nearest', { alignCorners: true, halfPixelCenters: false }, [x.id], {
          ...x.type,
          shape: [1, 13, 13, 2],
        }),
    ],
    'over a join of rows': [
      /joins along rows/,
      (g, x) => g.node('concat', { axis: 1 }, [x.id, x.id], { ...x.type, shape: [1, 16, 8, 2] }),
    ],
    'over a constant image': [
      /constant that differs/,
      (g, x) => g.node('add', FULL, [x.id, g.constant(constant(x.type, 3))], x.type),
    ],
    'from padding alone': [
      /padding alone/,
      (g, x) => {
        const padded = g.pad(x, 4);
        return g.node('relu', FULL, [padded.id], padded.type);
      },
    ],
  };
  it.each(Object.entries(REFUSED))('%s', (_, [reason, layer]) => {
    const g = new ImageSketch();
    const x = g.conv(g.image([1, 8, 8, 2]), 2, [3, 3]);
    const graph = g.build(layer(g, x));
    const refused = (): Graph => patches(graph, 4, 4, graph.nodes.length);
    expect(refused).toThrow(reason);
    expect(refused).toThrow(/RV3001.*\n {2}at operator 1 /);
  });
});

describe.skipIf(!HAS_SHARED)('patches of vww', () => {
  it('compute the golden bytes in 2 x 2 patches of the published split', async () => {
    // With all channels, as TinyEngine has them.
    const graph = runPasses(importTflite(modelBytes('vww'), 'vww').graph, 'int8', [
      'remove-constant-channels',
    ]);
    const result = patches(graph, 2, 2, 6);
    // TinyEngine, which does not clip tiles at the border of the plane, computes 2.9 % more.
    expect(100 * (macsOfGraph(result) / macsOfGraph(graph) - 1)).toBeCloseTo(1.39, 1);
    const program = lower(result);
    const planned = plan(program);
    // TinyEngine: 81,556 bytes with the image, which is 19,200 of these too.
    expect(planned.arenaBytes).toBeLessThan(41_000);
    const executor = await WasmExecutor.create(program, planned);
    for (const [seed, output] of goldenOutputs('vww')) {
      executor.dirty(seed);
      const [bytes] = executor.run([patternInput(program.inputs[0]!.bytes, seed)]);
      expect([...new Int8Array(bytes!.buffer, bytes!.byteOffset, bytes!.length)]).toEqual(output);
    }
  });
});
