/** Losses, gradients and three steps of training against PyTorch's: tools/torch-gradients.py made the golden file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Network, SIX } from '../../src/autodiff/network.ts';
import { gradientGraph, LEARNING_RATE, type Optimizer, trainingGraph } from '../../src/autodiff/training.ts';
import type { Graph } from '../../src/ir/types.ts';
import { lower } from '../../src/lower/lower.ts';
import { float32 } from '../../src/ops/case.ts';
import { UNBOUNDED } from '../../src/ops/float.ts';
import { Engine } from '../../src/run/engine/engine.ts';
import { wasmHost } from '../../src/run/engine/wasm-host.ts';

interface Golden {
  readonly image: readonly number[];
  readonly labels: readonly number[];
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  /** Of the first step. */
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  readonly losses: readonly number[];
  /** Parameters after three steps. */
  readonly trained: Readonly<Record<string, readonly number[]>>;
}

const GOLDEN = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden-data/torch-gradients.json'), 'utf8'),
) as Readonly<Record<'residual' | 'activations' | 'recipe', Golden>>;

function residual(smoothing = 0): Graph {
  const net = new Network('residual');
  const labels = net.labels('labels', 4);
  const image = net.input('image', [4, 8, 8, 3]);
  const stem = net.conv('stem', image, 8, 3, { stride: 2, norm: true, clamp: SIX });
  const wide = net.conv('expand', stem, 24, 1, { norm: true, clamp: SIX });
  const deep = net.depthwise('deep', wide, 3, { norm: true, clamp: SIX });
  const sum = net.add('sum', stem, net.conv('project', deep, 8, 1, { norm: true }));
  const logits = net.dense('classifier', net.globalMean('mean', sum), 5);
  return net.build([net.crossEntropy(logits, labels, smoothing)]);
}

function activations(): Graph {
  const net = new Network('activations');
  const labels = net.labels('labels', 3);
  const clamp = UNBOUNDED;
  const like = (id: number) => float32(net.shape(id));
  const first = net.conv('first', net.input('image', [3, 8, 10, 3]), 6, 3);
  const gated = net.node('hard_swish', {}, [net.add('twice', first, first)], like(first));
  const pool = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0], clamp } as const;
  const pooled = net.node('max_pool2d', pool, [gated], float32([3, 4, 5, 6]));
  const second = net.conv('second', pooled, 4, 3, { groups: 2 });
  const sloped = net.node('prelu', {}, [second, net.parameter('slope', [4], 0)], like(second));
  const mean = { kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], clamp } as const;
  const x = net.node('average_pool2d', mean, [sloped], float32([3, 2, 3, 4]));
  const product = net.node(
    'mul',
    { clamp },
    [net.node('tanh', {}, [x], like(x)), net.node('logistic', {}, [x], like(x))],
    like(x),
  );
  const mixed = net.add('mixed', product, net.node('leaky_relu', { alpha: 0.1 }, [x], like(x)));
  const resize = { alignCorners: false, halfPixelCenters: true };
  const large = net.node('resize_bilinear', resize, [mixed], float32([3, 5, 6, 4]));
  const shares = net.node('softmax', { beta: 1 }, [large], like(large));
  return net.build([net.crossEntropy(net.dense('classifier', net.globalMean('mean', shares), 5), labels)]);
}

const NETWORKS: readonly (readonly [keyof typeof GOLDEN, () => Graph, Optimizer])[] = [
  ['residual', () => residual(), { kind: 'sgd', momentum: 0.9, decay: 0.001 }],
  ['activations', activations, { kind: 'adam' }],
  [
    'recipe',
    () => residual(0.1),
    { kind: 'sgd', momentum: 0.9, nesterov: true, decay: 0.001, decayed: 'weights' },
  ],
];

/** float32 against float32: a few hundred roundings of the largest element of a tensor. */
const TOLERANCE = 1e-5;

function expectClose(
  found: ArrayLike<number | bigint>,
  wanted: readonly number[],
  what: string,
  tolerance = TOLERANCE,
): void {
  expect(found.length, what).toBe(wanted.length);
  const scale = Math.max(...wanted.map(Math.abs), 1e-3);
  wanted.forEach((value, i) => {
    expect(Math.abs(Number(found[i]) - value), `${what}[${i}]: ${found[i]}, PyTorch ${value}`).toBeLessThan(
      tolerance * scale,
    );
  });
}

async function open(graph: Graph, golden: Golden): Promise<Engine> {
  const program = lower(graph, { isas: ['simd', 'portable'], optimize: 'speed' });
  const engine = Engine.open(program, await wasmHost());
  for (const [name, values] of Object.entries(golden.parameters)) engine.state(name).set(values);
  engine.input('image').set(golden.image as never);
  engine.input('labels').set(golden.labels as never);
  return engine;
}

describe.each(NETWORKS)('%s', (name, make, optimizer) => {
  const golden = GOLDEN[name];

  it('has the gradients of PyTorch', async () => {
    const names = Object.keys(golden.gradients);
    const engine = await open(gradientGraph(make(), 'loss', names), golden);
    engine.run();
    expectClose(engine.output('loss') as Float32Array, [golden.losses[0]!], 'loss');
    names.forEach((parameter, i) => {
      expectClose(engine.output(i + 1) as Float32Array, golden.gradients[parameter]!, parameter);
    });
  });

  it('trains like PyTorch', async () => {
    const engine = await open(trainingGraph(make(), 'loss', { optimizer }), golden);
    engine.input(LEARNING_RATE).set([optimizer.kind === 'sgd' ? 0.05 : 0.01] as never);
    for (const loss of golden.losses) {
      engine.run();
      expectClose(engine.output('loss') as Float32Array, [loss], 'loss');
    }
    for (const [parameter, values] of Object.entries(golden.trained)) {
      // Adam divides gradients by their size, and rounding errors with them.
      expectClose(engine.state(parameter), values, parameter, optimizer.kind === 'sgd' ? 1e-4 : 1e-3);
    }
  });
});
