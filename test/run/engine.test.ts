/** The host engine: float32 kernels against the reference on every host, training step by step, int8 programs as well. */
import { beforeAll, describe, expect, it } from 'vitest';
import { Network, SIX } from '../../src/autodiff/network.ts';
import { gradientGraph, LEARNING_RATE, trainingGraph } from '../../src/autodiff/training.ts';
import { asBytes } from '../../src/core/dtype.ts';
import { type Graph, requireValue, type ValueId } from '../../src/ir/types.ts';
import { lower } from '../../src/lower/lower.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import type { Program } from '../../src/program/types.ts';
import { Engine, type EngineHost, openEngine } from '../../src/run/engine/engine.ts';
import { nativeHost } from '../../src/run/engine/native-host.ts';
import { wasmHost } from '../../src/run/engine/wasm-host.ts';
import { runReference } from '../../src/run/reference.ts';
import { FLOAT_CASES } from '../support/float-cases.ts';
import { floatInputNames, floatInputs, runInDouble, withLoss } from '../support/float-graphs.ts';
import { inputsFor } from '../support/inputs.ts';

/**
 * Of float32 against the reference in double, for each element and the largest of its tensor: a few hundred roundings of
 * 2^-24 each. Hosts differ by how they split sums.
 */
const TOLERANCE = 2e-5;

function programOf(graph: Graph): Program {
  return lower(graph, { isas: ['simd', 'portable'], optimize: 'speed' });
}

function nameOf(graph: Graph, id: ValueId): string {
  return requireValue(graph, id).name;
}

function expectClose(found: ArrayLike<number | bigint>, wanted: Float64Array, what: string): void {
  const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  expect(found.length).toBe(wanted.length);
  wanted.forEach((value, i) => {
    const distance = Math.abs(Number(found[i]) - value);
    expect(distance, `${what}[${i}] is ${found[i]}, not ${value}`).toBeLessThan(TOLERANCE * scale);
  });
}

/** Runs on the engine what `runInDouble` runs, twice: nothing may depend on what was in the arena. */
function expectAgreement(graph: Graph, host: EngineHost): void {
  const engine = Engine.open(programOf(graph), host);
  const states = new Map<ValueId, Float64Array>();
  for (const seed of [1, 2]) {
    const inputs = floatInputs(graph, seed);
    for (const [id, values] of inputs) engine.input(nameOf(graph, id)).set(values as never);
    engine.run();
    runInDouble(graph, inputs, states).forEach((wanted, i) => {
      expectClose(
        engine.output(i) as Float32Array,
        wanted,
        `output ${i}, ${nameOf(graph, graph.outputs[i]!)}`,
      );
    });
    for (const [id, wanted] of states)
      expectClose(engine.state(nameOf(graph, id)), wanted, nameOf(graph, id));
  }
}

const HOSTS = { wasm: wasmHost, native: nativeHost };

describe.each(Object.entries(HOSTS))('%s', (_, open) => {
  let host: EngineHost;
  beforeAll(async () => {
    host = await open();
  }, 300_000);

  describe.each(Object.entries(FLOAT_CASES))('%s', (op, cases) => {
    it.each(cases.map((c) => [c.name, c.graph] as const))('%s', (_name, graph) => {
      expect(verifyGraph(graph, 'float')).toEqual([]);
      // A reshape moves nothing: its output would be its input.
      if (op !== 'reshape') expectAgreement(graph, host);
      const forward = withLoss(graph);
      expectAgreement(gradientGraph(forward, 'loss', floatInputNames(forward)), host);
    });
  });

  it.each(['sgd', 'adam'] as const)('trains with %s as the reference does', (kind) => {
    const graph = trainingGraph(smallNetwork(4), 'loss', {
      optimizer: kind === 'sgd' ? { kind, momentum: 0.9, decay: 1e-3 } : { kind, decay: 1e-3 },
    });
    expect(verifyGraph(graph, 'float')).toEqual([]);
    const engine = Engine.open(programOf(graph), host);
    const states = new Map<ValueId, Float64Array>();
    const inputs = floatInputs(graph, 5);
    inputs.get(graph.inputs.find((id) => nameOf(graph, id) === LEARNING_RATE)!)![0] = 0.01;
    for (const [id, values] of inputs) engine.input(nameOf(graph, id)).set(values as never);
    for (let step = 0; step < 3; ++step) {
      engine.run();
      runInDouble(graph, inputs, states);
      for (const [id, wanted] of states) {
        const found = engine.state(nameOf(graph, id));
        // Adam divides by the size of gradients, some of which are nothing but rounding errors.
        if (kind === 'sgd') expectClose(found, wanted, nameOf(graph, id));
        else expect(medianDistance(found, wanted), nameOf(graph, id)).toBeLessThan(1e-5);
      }
    }
    const trained = engine.stateNames().map((name) => engine.state(name).slice());
    engine.reset();
    for (let step = 0; step < 3; ++step) engine.run();
    expect(engine.stateNames().map((name) => engine.state(name))).toEqual(trained);
    engine.reset();
    for (const name of engine.stateNames()) {
      const value = [...graph.values.values()].find((candidate) => candidate.name === name)!;
      expect(engine.state(name)).toEqual(value.data);
    }
  });

  it('leaves weights alone at a learning rate of 0, and shows what a huge one does', () => {
    const graph = trainingGraph(smallNetwork(4), 'loss', { optimizer: { kind: 'sgd' } });
    const engine = openEngine(graph, host);
    for (const [id, values] of floatInputs(graph, 5)) engine.input(nameOf(graph, id)).set(values as never);
    const weights = engine.state('stem/weights').slice();
    engine.input(LEARNING_RATE)[0] = 0;
    engine.run();
    expect(engine.state('stem/weights')).toEqual(weights);
    expect(Number(engine.output('stem/weights/step')[0])).toBeGreaterThan(0);
    engine.input(LEARNING_RATE)[0] = 1e30;
    for (let step = 0; step < 4; ++step) engine.run();
    // Gradients of layers whose results all lie on bounds are 0, whatever comes from behind.
    for (const output of ['loss', 'classifier/bias/step']) {
      expect(Number.isFinite(Number(engine.output(output)[0])), output).toBe(false);
    }
  });

  it('runs int8 programs bit for bit', () => {
    for (const { name, graph } of ['conv2d', 'add', 'mean', 'softmax'].flatMap((op) => ALL_CASES[op]!)) {
      const engine = Engine.open(programOf(graph), host);
      const inputs = inputsFor(graph, 1);
      graph.inputs.forEach((id, i) => {
        asBytes(engine.input(nameOf(graph, id))).set(inputs[i]!);
      });
      engine.run();
      const outputs = graph.outputs.map((id) => asBytes(engine.output(nameOf(graph, id))).slice());
      expect({ name, outputs }).toEqual({ name, outputs: runReference(graph, inputs) });
    }
  });
});

function medianDistance(a: ArrayLike<number>, b: Float64Array): number {
  const distances = b.map((value, i) => Math.abs(value - a[i]!)).sort();
  return distances[Math.floor(distances.length / 2)]!;
}

/** A residual block between a stem and a classifier: every layer of a MobileNet. */
function smallNetwork(batch: number): Graph {
  const net = new Network('small');
  const labels = net.labels('labels', batch);
  const stem = net.conv('stem', net.input('image', [batch, 8, 8, 3]), 8, 3, {
    stride: 2,
    norm: true,
    clamp: SIX,
  });
  const wide = net.conv('expand', stem, 24, 1, { norm: true, clamp: SIX });
  const deep = net.depthwise('deep', wide, 3, { norm: true, clamp: SIX });
  const sum = net.add('sum', stem, net.conv('project', deep, 8, 1, { norm: true }));
  return net.build([net.crossEntropy(net.dense('classifier', net.globalMean('mean', sum), 5), labels)]);
}

it('keeps the gradient of a wanted value that is also an input', async () => {
  const graph = gradientGraph(smallNetwork(2), 'loss', ['image', 'stem/weights']);
  expectAgreement(graph, await wasmHost());
});

it('has no kernels for microcontrollers as native code', async () => {
  const { graph } = ALL_CASES.conv2d![0]!;
  const host = await nativeHost();
  const program = lower(graph, { isas: ['mve', 'dsp', 'portable'], optimize: 'speed' });
  expect(() => Engine.open(program, host)).toThrow('RV9003');
});

it('refuses a graph that is not valid', async () => {
  const graph = smallNetwork(1);
  const values = new Map(graph.values);
  const image = requireValue(graph, graph.inputs.find((id) => nameOf(graph, id) === 'image')!);
  values.set(image.id, { ...image, shape: [1, 8, 8, 4] });
  const host = await wasmHost();
  expect(() => openEngine({ ...graph, values }, host)).toThrow('RV2005');
});

it('reports names that do not exist', async () => {
  const engine = Engine.open(programOf(smallNetwork(1)), await wasmHost());
  expect(() => engine.state('nothing')).toThrow('RV9005');
  expect(() => engine.input('nothing')).toThrow('RV9005');
  expect(() => engine.output('nothing')).toThrow('RV9005');
});
