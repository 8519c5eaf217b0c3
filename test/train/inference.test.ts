import { expect, it } from 'vitest';
import { createRandom } from '../../src/core/random.ts';
import { openEngine } from '../../src/run/engine/engine.ts';
import { wasmHost } from '../../src/run/engine/wasm-host.ts';
import { type NetworkDescription, networkOf } from '../../src/train/blocks.ts';
import { setStates, type Trainable } from '../../src/train/evaluation.ts';
import { inferenceGraph } from '../../src/train/inference.ts';
import { readStates, writeStates } from '../../src/train/trained.ts';

const NETWORK: NetworkDescription = {
  name: 'all-blocks',
  input: [12, 10, 3],
  classes: 5,
  blocks: [
    { kind: 'conv', kernel: 3, channels: 8, stride: 2 },
    { kind: 'inverted', kernel: 5, middle: 24, channels: 8, stride: 1 },
    { kind: 'inverted', kernel: 3, middle: 8, channels: 12, stride: 1 },
    { kind: 'residual', channels: 16, stride: 2 },
    { kind: 'residual', channels: 16, stride: 1 },
    { kind: 'conv', kernel: 1, channels: 20, stride: 1 },
  ],
};
const build: Trainable = (options) => networkOf(NETWORK, options);

it('folds batch normalisation into a network that computes the same', async () => {
  const host = await wasmHost();
  const random = createRandom(3);
  const trained = openEngine(build({ batch: 2, mode: 'run' }), host);
  const states = new Map(
    trained.stateNames().map((name) => {
      const isPositive = name.endsWith('/moments');
      const values = trained.state(name).map(() => (isPositive ? 0.5 + random() : 2 * random() - 1));
      return [name, values];
    }),
  );
  setStates(trained, states);
  const graph = inferenceGraph(build, states, 2);
  expect(graph.nodes.map(({ op }) => op)).not.toContain('batch_norm');
  expect([...graph.values.values()].filter(({ role }) => role === 'state')).toEqual([]);
  const folded = openEngine(graph, host);
  for (const engine of [trained, folded]) {
    const image = engine.input('image');
    const pixels = createRandom(4);
    for (let i = 0; i < image.length; ++i) image[i] = 2 * pixels() - 1;
    engine.run();
  }
  const wanted = trained.output('logits') as Float32Array;
  const scale = Math.max(...wanted.map(Math.abs));
  (folded.output('logits') as Float32Array).forEach((logit, i) => {
    expect(Math.abs(logit - wanted[i]!)).toBeLessThan(1e-4 * scale);
  });
  // The same network from the files that a training leaves.
  const file = writeStates(build({ batch: 1, mode: 'run' }), states);
  for (const bytes of [file, Buffer.from(file)]) {
    expect(readStates(NETWORK, bytes, 'n.safetensors')).toEqual(states);
  }
});
