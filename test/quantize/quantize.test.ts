/** Networks of every kind of layer, quantised: close to float32, whole and layer by layer. */
import { expect, it } from 'vitest';
import { Network, SIX } from '../../src/autodiff/network.ts';
import { createRandom } from '../../src/core/random.ts';
import { convert } from '../../src/integer/convert.ts';
import { sharingOf } from '../../src/integer/sharing.ts';
import { elementCount, type Graph, requireValue } from '../../src/ir/types.ts';
import { float32 } from '../../src/ops/case.ts';
import { UNBOUNDED } from '../../src/ops/float.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { equalize } from '../../src/quantize/equalize.ts';
import { Observer, observeAll, type Sample } from '../../src/quantize/observe.ts';
import { freeze, prepare } from '../../src/quantize/prepare.ts';
import { qualityOf, rawInput } from '../../src/quantize/quality.ts';
import { quantize } from '../../src/quantize/quantize.ts';
import { CALIBRATIONS, hull, quantizationOf } from '../../src/quantize/ranges.ts';
import { openEngine } from '../../src/run/engine/engine.ts';
import { wasmHost } from '../../src/run/engine/wasm-host.ts';
import { runReference } from '../../src/run/reference.ts';

const host = await wasmHost();
const POSITIVE = [0, Number.POSITIVE_INFINITY] as const;

/** Convolutions, a depthwise one, a residual, both pools, a concatenation, a mean, a dense layer, a softmax. */
function network(seed: number, batch = 1): Graph {
  const net = new Network(`net${seed}`, { seed, mode: 'run' });
  const image = net.input('image', [batch, 12, 10, 3]);
  const stem = net.conv('stem', image, 8, 3, { stride: 2, norm: true, clamp: SIX });
  const deep = net.depthwise('deep', stem, 3, { norm: true, clamp: POSITIVE });
  const wide = net.conv('wide', deep, 8, 1, { norm: true });
  const sum = net.add('sum', wide, stem);
  const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0], clamp: UNBOUNDED } as const;
  const half = float32([batch, 3, 2, 8]);
  const pools = [
    net.node('average_pool2d', window, [sum], half, 'average'),
    net.node('max_pool2d', window, [sum], half, 'maximum'),
  ];
  const joined = net.node('concat', { axis: 3 }, pools, float32([batch, 3, 2, 16]), 'joined');
  const swish = net.node('hard_swish', {}, [joined], float32([batch, 3, 2, 16]), 'swish');
  const gate = net.node('logistic', {}, [swish], float32([batch, 3, 2, 16]), 'gate');
  const gated = net.node('mul', { clamp: UNBOUNDED }, [swish, gate], float32([batch, 3, 2, 16]), 'gated');
  const logits = net.dense('scores', net.globalMean('mean', gated), 5);
  return net.build([net.node('softmax', { beta: 1 }, [logits], float32([batch, 5]), 'softmax')]);
}

function samplesFor(graph: Graph, count: number, seed: number): Sample[] {
  const random = createRandom(seed);
  const size = elementCount(requireValue(graph, graph.inputs[0]!).shape.slice(1));
  return Array.from({ length: count }, () => Float32Array.from({ length: size }, () => 2 * random() - 1));
}

/** Normalisation that is not the identity, so that folding it wrongly shows. */
function shaken(graph: Graph, seed: number): Graph {
  const random = createRandom(seed);
  const value = (name: string) => [...graph.values.values()].find((v) => v.name === name)!.data!;
  return freeze(graph, (name) => {
    const data = Float32Array.from(value(name) as Float32Array);
    return /weights$/.test(name) ? data : data.map((x) => x + (/moments$/.test(name) ? 1 : 0.4) * random());
  });
}

it.each([1, 2, 3, 4, 5, 6])('is close to float32: network %i', (seed) => {
  const graph = shaken(network(seed), seed);
  const samples = samplesFor(graph, 24, seed);
  const made = quantize(graph, samples, { host });
  expect(verifyGraph(made.graph)).toEqual([]);
  for (const { name, sqnr } of made.layers) expect(sqnr, name).toBeGreaterThan(18);
  expect(made.sqnr).toBeGreaterThan(24);
  expect(made.trials.length).toBe(5);
  expect(Math.max(...made.trials.map(({ sqnr }) => sqnr))).toBe(made.sqnr);
});

it.each([prepare, (graph: Graph) => equalize(prepare(graph))])('prepares the same function', (change) => {
  const graph = shaken(network(7), 7);
  const changed = change(graph);
  expect(changed.nodes.some(({ op }) => op === 'batch_norm')).toBe(false);
  const [a, b] = [openEngine(graph, host), openEngine(changed, host)];
  for (const sample of samplesFor(graph, 4, 1)) {
    for (const engine of [a, b]) (engine.input(0) as Float32Array).set(sample);
    a.run();
    b.run();
    a.output(0).forEach((x, i) => {
      expect(b.output(0)[i]).toBeCloseTo(x as number, 5);
    });
  }
});

it('folds sums and products by channel into the weights before them', () => {
  const net = new Network('affine');
  const image = net.input('image', [1, 4, 4, 3]);
  const three = (name: string, x: number) => net.parameter(name, [3], x);
  const y = net.conv('a', image, 3, 3);
  const type = float32([1, 4, 4, 3]);
  const scaled = net.node('mul', { clamp: UNBOUNDED }, [three('factor', 2), y], type, 'scaled');
  const less = net.node('sub', { clamp: UNBOUNDED }, [scaled, three('offset', 0.5)], type, 'less');
  const graph = net.build([net.node('add', { clamp: SIX }, [less, three('more', 1)], type, 'more')]);
  const folded = prepare(graph);
  expect(folded.nodes.map(({ op, attrs }) => [op, 'clamp' in attrs && attrs.clamp])).toEqual([
    ['conv2d', SIX],
  ]);
  const [sample] = samplesFor(graph, 1, 4);
  const [a, b] = [graph, folded].map((g) => {
    const engine = openEngine(g, host);
    (engine.input(0) as Float32Array).set(sample!);
    engine.run();
    return [...(engine.output(0) as Float32Array)];
  });
  b!.forEach((x, i) => {
    expect(x).toBeCloseTo(a![i]!, 5);
  });
});

it('equalises what lies before a ReLU', () => {
  const net = new Network('pair');
  const image = net.input('image', [1, 4, 4, 3]);
  const graph = prepare(net.build([net.conv('b', net.conv('a', image, 4, 1, { clamp: POSITIVE }), 4, 3)]));
  const changed = equalize(graph);
  const peaks = (name: string, of: (i: number) => number): number[] => {
    const { data } = [...changed.values.values()].find((v) => v.name === name)!;
    const largest = [0, 0, 0, 0];
    (data as Float32Array).forEach((w, i) => {
      largest[of(i)] = Math.max(largest[of(i)]!, Math.abs(w));
    });
    return largest;
  };
  const reads = peaks('b/weights', (i) => i % 4);
  peaks('a/weights', (i) => Math.floor(i / 3)).forEach((peak, c) => {
    expect(peak).toBeCloseTo(reads[c]!, 5);
  });
});

it.each(['conv', 'depthwise', 'dense'])('corrected biases bring the means of a %s layer closer', (kind) => {
  const net = new Network('means', { seed: 11 });
  const image = net.input('image', kind === 'dense' ? [1, 96] : [1, 4, 4, 96]);
  const layers = {
    conv: () => net.conv('layer', image, 24, 1),
    depthwise: () => net.depthwise('layer', image, 3),
    dense: () => net.dense('layer', image, 24),
  };
  const graph = net.build([layers[kind as keyof typeof layers]()]);
  const random = createRandom(3);
  const size = elementCount(requireValue(graph, graph.inputs[0]!).shape);
  const samples = Array.from({ length: 40 }, () => Float32Array.from({ length: size }, () => 1 + random()));
  const errorOf = (correctBias: boolean): number => {
    const made = quantize(graph, samples, { host, calibration: 'min-max', equalize: false, correctBias });
    const out = requireValue(made.graph, made.graph.outputs[0]!);
    const [a, b] = [new Observer(prepare(graph), host), new Observer(made.graph, host)];
    const errors = new Float64Array(out.shape.at(-1)!);
    const { scales, zeroPoints } = out.quantization!;
    for (const sample of samples) {
      const [x] = a.run(sample).values();
      const [q] = b.run(rawInput(sample, requireValue(made.graph, made.graph.inputs[0]!))).values();
      for (let i = 0; i < x!.length; ++i) {
        errors[i % errors.length]! += scales[0]! * (q![i]! - zeroPoints[0]!) - x![i]!;
      }
    }
    return errors.reduce((sum, error) => sum + Math.abs(error), 0);
  };
  expect(errorOf(true)).toBeLessThan(0.8 * errorOf(false));
});

it('takes a batch for one item', () => {
  const [one, many] = [network(3), network(3, 4)].map((graph) => {
    const made = quantize(graph, samplesFor(graph, 6, 1), { host, calibration: 'min-max' });
    return made.layers;
  });
  expect(many).toEqual(one);
});

it('computes on the engine what the reference says', () => {
  const graph = shaken(network(8), 8);
  const samples = samplesFor(graph, 3, 2);
  const made = quantize(graph, samples, { host });
  const observer = new Observer(made.graph, host);
  for (const sample of samples) {
    const raw = rawInput(sample, requireValue(made.graph, made.graph.inputs[0]!));
    const [expected] = runReference(made.graph, [new Uint8Array(raw.buffer)]);
    const seen = observer.run(raw).get(made.graph.outputs[0]!)!;
    expect(Array.from(seen, (x) => x & 255)).toEqual([...expected!]);
  }
});

it('notices a wrong zero point, a wrong scale and a wrong range', () => {
  const graph = prepare(shaken(network(9), 9));
  const samples = samplesFor(graph, 12, 3);
  const seen = observeAll(graph, host, samples);
  const sharing = sharingOf(graph);
  const victim = sharing.classOf(graph.nodes[2]!.outs[0]!);
  const sqnr = (
    fault: (q: ReturnType<typeof quantizationOf>) => ReturnType<typeof quantizationOf>,
  ): number => {
    const quantizationFor = (id: number) => {
      const root = sharing.classOf(id);
      const members = [...seen.observations].filter(([other]) => sharing.classOf(other) === root);
      const own =
        sharing.fixed.get(root) ?? quantizationOf(hull(members.map(([, o]) => CALIBRATIONS['min-max'](o))));
      return root === victim ? fault(own) : own;
    };
    return qualityOf(graph, convert(graph, sharing, quantizationFor), host, samples).layers[2]!.sqnr;
  };
  const right = sqnr((q) => q);
  expect(right).toBeGreaterThan(25);
  expect(sqnr((q) => ({ ...q, zeroPoints: [q.zeroPoints[0]! - 40] }))).toBeLessThan(right - 6);
  expect(sqnr((q) => ({ ...q, scales: [Math.fround(q.scales[0]! * 8)] }))).toBeLessThan(right - 6);
  expect(sqnr((q) => ({ ...q, scales: [Math.fround(q.scales[0]! / 4)] }))).toBeLessThan(right - 6);
});

it.each([
  ['RV2007', 'no samples', () => quantize(network(1), [], { host })],
  ['RV3002', 'samples of another size', () => quantize(network(1), [new Float32Array(5)], { host })],
  ['RV2004', 'not finite', () => quantize(network(1), [new Float32Array(360).fill(Number.NaN)], { host })],
])('%s: %s', (code, _, act) => {
  expect(act).toThrow(code);
});
