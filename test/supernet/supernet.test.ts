/** Shared weights: parts lie where they should, learn as they would alone, and many learn at once. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/core/random.ts';
import type { Shape } from '../../src/ir/types.ts';
import { randomGenome } from '../../src/nas/genome.ts';
import type { Space } from '../../src/nas/space.ts';
import { type EngineHost, openEngine } from '../../src/run/engine/engine.ts';
import { wasmHost } from '../../src/run/engine/wasm-host.ts';
import { sortChannels } from '../../src/supernet/importance.ts';
import { addPart, takePart } from '../../src/supernet/sharing.ts';
import { extractPart, Supernet } from '../../src/supernet/supernet.ts';
import {
  judgePart,
  networkOfGenome,
  type SupernetOptions,
  type SupernetPlan,
  trainSupernet,
} from '../../src/supernet/train.ts';
import { Batches, readItems } from '../../src/train/batches.ts';
import { type NetworkDescription, networkOf } from '../../src/train/blocks.ts';
import { type States, setStates } from '../../src/train/evaluation.ts';
import { NetworkLearner } from '../../src/train/learner.ts';
import { DEFAULT_RECIPE } from '../../src/train/recipe.ts';
import { BARS, bars } from '../support/bars.ts';

const SPACE: Space = {
  name: 'small',
  description: 'for tests',
  imageChannels: 1,
  classes: 2,
  resolutions: [8],
  widths: [0.5, 1],
  widthPer: 'network',
  kernels: [3, 5, 7],
  expansions: [3, 4, 6],
  stem: { channels: 16, stride: 1 },
  firstBlock: 8,
  stages: [
    { channels: 16, stride: 2, depths: [1, 2] },
    { channels: 24, stride: 1, depths: [1] },
  ],
  head: null,
};
const LARGEST = networkOfGenome(
  SPACE,
  randomGenome(SPACE, () => 0.999),
);
const SMALLEST = networkOfGenome(
  SPACE,
  randomGenome(SPACE, () => 0),
);
const RECIPE = { ...DEFAULT_RECIPE, batch: 8 };

let host: EngineHost;
beforeAll(async () => {
  host = await wasmHost();
});

function randoms(length: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length }, () => 2 * random() - 1);
}

const size = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

describe('a part of a tensor', () => {
  it('has the first channels and the middle of the window', () => {
    const whole = Float32Array.from({ length: 2 * 5 * 5 * 2 }, (_, i) => i);
    const part = takePart(whole, [2, 5, 5, 2], new Float32Array(9), [1, 3, 3, 1]);
    expect([...part]).toEqual([12, 14, 16, 22, 24, 26, 32, 34, 36]);
    expect([...takePart(whole, [10, 10], new Float32Array(4), [2, 2])]).toEqual([0, 1, 10, 11]);
    expect([...takePart(whole, [100], new Float32Array(3), [3])]).toEqual([0, 1, 2]);
  });

  it('gets gradients where it takes weights', () => {
    const side = fc.constantFrom(1, 3, 5, 7);
    const channels = fc.integer({ min: 1, max: 6 });
    const shapes = fc.tuple(channels, channels, side, side, channels, channels);
    fc.assert(
      fc.property(shapes, fc.integer(), ([a, b, s, t, c, d], seed) => {
        const whole = [Math.max(a, b), Math.max(s, t), Math.max(s, t), Math.max(c, d)];
        const part = [Math.min(a, b), Math.min(s, t), Math.min(s, t), Math.min(c, d)];
        const [x, y] = [randoms(size(whole), seed), randoms(size(part), seed + 1)];
        const back = new Float32Array(size(whole));
        addPart(back, whole, y, part, 1);
        const taken = takePart(x, whole, new Float32Array(size(part)), part);
        // <take(x), y> = <x, add(y)>
        expect(dot(taken, y)).toBeCloseTo(dot(x, back), 5);
      }),
    );
  });
});

/** States of the largest network with anything in them, variances positive. */
function anyStates(network: NetworkDescription, seed: number): Map<string, Float32Array> {
  const engine = openEngine(networkOf(network, { batch: 1, mode: 'run' }), host);
  return new Map(
    engine.stateNames().map((name, i) => {
      const values = randoms(engine.state(name).length, seed + i);
      return [name, name.endsWith('/moments') ? values.map((x) => Math.abs(x) + 0.5) : values];
    }),
  );
}

function logitsOf(network: NetworkDescription, states: States): number[] {
  const engine = openEngine(networkOf(network, { batch: 4, mode: 'run' }), host);
  setStates(engine, states);
  (engine.input('image') as Float32Array).set(randoms(4 * 64, 77));
  engine.run();
  return [...(engine.output('logits') as Float32Array)];
}

describe('channels by importance', () => {
  it('stand in another order in a network that computes the same', () => {
    const states = anyStates(LARGEST, 5);
    const sorted = sortChannels(LARGEST, states);
    const block = 'stage1/block0';
    expect(sorted.get(`${block}/expand/weights`)).not.toEqual(states.get(`${block}/expand/weights`));
    const [before, after] = [logitsOf(LARGEST, states), logitsOf(LARGEST, sorted)];
    const scale = Math.max(...before.map(Math.abs));
    after.forEach((logit, i) => {
      expect(Math.abs(logit - before[i]!)).toBeLessThan(1e-4 * scale);
    });
    const { middle, channels } = LARGEST.blocks.find(({ name }) => name === block) as {
      middle: number;
      channels: number;
    };
    const project = sorted.get(`${block}/project/weights`)!;
    const importance = Array.from({ length: middle }, (_, c) =>
      Array.from({ length: channels }, (_, o) => Math.abs(project[o * middle + c]!)).reduce((a, b) => a + b),
    );
    expect(importance).toEqual(importance.toSorted((a, b) => b - a));
  });
});

/** The parameters after some steps on the same batches. */
function learnt(learner: Supernet | NetworkLearner, begin: States, steps: number): Map<string, Float32Array> {
  learner.restore(begin);
  const batches = new Batches(readItems(bars(64, 3), BARS), learner.places);
  const order = Uint32Array.from({ length: 64 }, (_, i) => i);
  for (let step = 0; step < steps; ++step) {
    batches.fill(order, 8 * step);
    learner.step(0.05, step);
  }
  return new Map([...learner.parameters].map(([name, values]) => [name, values.slice()]));
}

function expectClose(found: States, wanted: States): void {
  expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
  for (const [name, values] of wanted) {
    const scale = Math.max(...values.map(Math.abs), 1e-3);
    found.get(name)!.forEach((value, i) => {
      expect(Math.abs(value - values[i]!), `${name}[${i}]`).toBeLessThan(1e-4 * scale);
    });
  }
}

describe('a supernet', () => {
  const begin = () => new NetworkLearner((how) => networkOf(LARGEST, how), RECIPE, host).save();

  it('trains its largest network as it would be trained alone', () => {
    const alone = new NetworkLearner((how) => networkOf(LARGEST, how), RECIPE, host);
    const shared = new Supernet(LARGEST, RECIPE, host, () => [LARGEST]);
    expectClose(learnt(shared, begin(), 4), learnt(alone, begin(), 4));
  });

  it('moves a part as it would move alone, and nothing else', () => {
    const states = begin();
    const still = { ...RECIPE, decay: 0 };
    const alone = new NetworkLearner((how) => networkOf(SMALLEST, how), still, host);
    const part = learnt(alone, extractPart(LARGEST, states, SMALLEST), 4);
    const whole = learnt(new Supernet(LARGEST, still, host, () => [SMALLEST]), states, 4);
    expectClose(extractPart(LARGEST, whole, SMALLEST), part);
    // The deepest block is no part of the smallest network.
    const untouched = 'stage1/block1/project/weights';
    expect(whole.get(untouched)).toEqual(states.get(untouched));
  });

  it('moves by the mean of what its networks want', () => {
    const states = begin();
    const plain = { ...RECIPE, decay: 0, momentum: 0 };
    const moved = (networks: readonly NetworkDescription[]) =>
      learnt(new Supernet(LARGEST, plain, host, () => networks), states, 1);
    const [first, second] = [moved([LARGEST]), moved([SMALLEST])];
    const mean = new Map(
      [...first].map(([name, values]) => [name, values.map((x, i) => (x + second.get(name)![i]!) / 2)]),
    );
    expectClose(moved([LARGEST, SMALLEST]), mean);
  });
});

describe('a training of all networks of a space', () => {
  const plan: SupernetPlan = {
    largest: { ...RECIPE, epochs: 2, batch: 16, average: 0, heldOut: 0.2 },
    shared: { ...RECIPE, epochs: 3, batch: 16, average: 0.9, heldOut: 0.2 },
    networks: 2,
  };
  const run = (options: Partial<SupernetOptions> = {}, how = plan) =>
    trainSupernet(SPACE, bars(200, 1), how, { host, ...options });

  it('makes parts that work without training of their own, whatever they are', async () => {
    const { largest, states, epochs } = await run();
    expect(epochs.shared.at(-1)!.heldOutAccuracy).toBeGreaterThan(0.9);
    const [calibration, items] = [readItems(bars(200, 4), BARS), readItems(bars(100, 2), BARS)];
    const random = createRandom(9);
    for (let i = 0; i < 4; ++i) {
      const network = networkOfGenome(SPACE, randomGenome(SPACE, random));
      expect(judgePart(largest, states, network, calibration, items, host).accuracy).toBeGreaterThan(0.9);
    }
  });

  it('goes on to the same result in either stage', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rivulet-supernet-'));
    try {
      const short = {
        ...plan,
        largest: { ...plan.largest, epochs: 1 },
        shared: { ...plan.shared, epochs: 2 },
      };
      const whole = await run({}, short);
      // Ten steps an epoch: one epoch of the largest network, then two of all.
      for (const stop of [4, 24]) {
        const checkpoint = { path: join(folder, `stopped-${stop}`), identity: 'this' };
        let asked = 0;
        const signal = {
          throwIfAborted: () => {
            if (++asked > stop) throw new Error('stopped');
          },
        } as AbortSignal;
        await expect(run({ checkpoint, signal }, short)).rejects.toThrow('stopped');
        expect(existsSync(`${checkpoint.path}.shared`)).toBe(stop >= 20);
        expect((await run({ checkpoint }, short)).states).toEqual(whole.states);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
