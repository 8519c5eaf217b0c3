/** A small network learns digits: 8,500 pictures of MNIST, three times, and is asked about 1,500 that it has never seen. */
import { expect, it } from 'vitest';
import { type Digit, loadDigits, SIDE } from '../../examples/digits/data.ts';
import { Network, type NetworkOptions, SIX } from '../../src/autodiff/network.ts';
import { LEARNING_RATE, trainingGraph } from '../../src/autodiff/training.ts';
import { createRandom } from '../../src/core/random.ts';
import { elementCount, type Graph } from '../../src/ir/types.ts';
import { float32 } from '../../src/ops/case.ts';
import { openEngine } from '../../src/run/engine/engine.ts';
import { wasmHost } from '../../src/run/engine/wasm-host.ts';

const BATCH = 50;
const EPOCHS = 3;

/** Gives the loss where it trains, and the logits where it runs. */
function network(options: NetworkOptions): Graph {
  const net = new Network('digits', options);
  const image = net.input('image', [BATCH, SIDE, SIDE, 1]);
  const labels = net.labels('labels', BATCH);
  const active = { norm: true, clamp: SIX } as const;
  let x = net.conv('stem', image, 8, 3, { ...active, stride: 2 });
  for (const channels of [16, 32]) {
    x = net.depthwise(`deep${channels}`, x, 3, { ...active, stride: 2 });
    x = net.conv(`wide${channels}`, x, channels, 1, active);
  }
  const flat = net.node('reshape', {}, [x], float32([BATCH, elementCount(net.shape(x)) / BATCH]));
  const logits = net.dense('classifier', flat, 10);
  return net.build([logits, net.crossEntropy(logits, labels)]);
}

function fill(image: Float32Array, labels: Int32Array, digits: readonly Digit[]): void {
  digits.forEach(({ pixels, label }, n) => {
    labels[n] = label;
    for (const [i, pixel] of pixels.entries()) image[n * pixels.length + i] = pixel / 255;
  });
}

it('learns digits', async () => {
  const host = await wasmHost();
  const { training, heldOut } = loadDigits();
  const random = createRandom(1);
  const shuffled = training.map((digit) => ({ digit, key: random() })).sort((a, b) => a.key - b.key);
  const optimizer = { kind: 'sgd', momentum: 0.9, decay: 1e-4 } as const;
  const trainer = openEngine(trainingGraph(network({ mode: 'train' }), 'loss', { optimizer }), host);
  const perEpoch = Math.floor(shuffled.length / BATCH);
  const steps = EPOCHS * perEpoch;
  for (let step = 0; step < steps; ++step) {
    const first = (step % perEpoch) * BATCH;
    const batch = shuffled.slice(first, first + BATCH).map(({ digit }) => digit);
    fill(trainer.input('image') as Float32Array, trainer.input('labels') as Int32Array, batch);
    trainer.input(LEARNING_RATE)[0] = 0.1 * (1 + Math.cos((Math.PI * step) / steps));
    trainer.run();
  }
  // The same states under another graph, whose batch normalisation uses the running averages.
  const runner = openEngine(network({ mode: 'run', seed: 2 }), host);
  for (const name of runner.stateNames()) runner.state(name).set(trainer.state(name));
  let right = 0;
  for (let start = 0; start < heldOut.length; start += BATCH) {
    fill(
      runner.input('image') as Float32Array,
      runner.input('labels') as Int32Array,
      heldOut.slice(start, start + BATCH),
    );
    runner.run();
    const logits = runner.output(0) as Float32Array;
    for (let n = 0; n < BATCH; ++n) {
      const row = logits.subarray(n * 10, (n + 1) * 10);
      if (row.indexOf(Math.max(...row)) === heldOut[start + n]!.label) ++right;
    }
  }
  const accuracy = right / heldOut.length;
  expect(accuracy).toBeGreaterThan(0.93);
});
