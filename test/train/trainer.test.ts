/** Training by a recipe: it learns, and whoever is stopped anywhere ends with the same bytes. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RivuletError } from '../../src/core/diagnostics.ts';
import type { EngineHost } from '../../src/run/engine/engine.ts';
import { wasmHost } from '../../src/run/engine/wasm-host.ts';
import { readItems } from '../../src/train/batches.ts';
import { type NetworkDescription, networkOf } from '../../src/train/blocks.ts';
import { evaluate } from '../../src/train/evaluation.ts';
import { DEFAULT_RECIPE, type Recipe } from '../../src/train/recipe.ts';
import { type TrainOptions, train } from '../../src/train/trainer.ts';
import { NO_AUGMENTATION } from '../support/augmentation.ts';
import { BARS, bars } from '../support/bars.ts';

const NETWORK: NetworkDescription = {
  name: 'bars',
  input: BARS,
  classes: 2,
  blocks: [
    { kind: 'conv', kernel: 3, channels: 8, stride: 2 },
    { kind: 'inverted', kernel: 3, middle: 16, channels: 8, stride: 1 },
    { kind: 'residual', channels: 8, stride: 2 },
  ],
};

const RECIPE: Recipe = {
  ...DEFAULT_RECIPE,
  epochs: 3,
  batch: 16,
  augmentation: { ...NO_AUGMENTATION, shift: 1, flip: true, cutout: 2 },
  average: 0.9,
  recalibration: 2,
  heldOut: 0.2,
};

let host: EngineHost;
let folder: string;
beforeEach(async () => {
  host = await wasmHost();
  folder = mkdtempSync(join(tmpdir(), 'rivulet-train-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const build = (options: Parameters<Parameters<typeof train>[0]>[0]) => networkOf(NETWORK, options);
const run = (more: Partial<TrainOptions> = {}, recipe = RECIPE) =>
  train(build, bars(200, 1), recipe, { host, shape: BARS, ...more });

/** Everything that a training leaves, but for the time it took. */
async function outcome(trained: ReturnType<typeof run>) {
  const { states, epochs, counts } = await trained;
  return { states, counts, epochs: epochs.map(({ seconds: _, cpuSeconds: __, ...rest }) => rest) };
}

/** A signal that stops when it has been asked so many times. */
function stopAt(step: number): AbortSignal {
  let asked = 0;
  const throwIfAborted = (): void => {
    if (++asked > step) throw new Error('stopped');
  };
  return { throwIfAborted } as AbortSignal;
}

describe('a training', () => {
  it('learns what can be learnt', async () => {
    const { states, epochs, counts } = await run();
    expect(counts).toEqual({ train: 160, heldOut: 40 });
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    const { accuracy, count } = evaluate(build, states, readItems(bars(100, 2), BARS), host);
    expect(count).toBe(100);
    expect(accuracy).toBeGreaterThan(0.95);
  });

  it('has the same result every time, and another by another seed', async () => {
    const first = await outcome(run());
    expect(await outcome(run())).toEqual(first);
    expect(await outcome(run({}, { ...RECIPE, seed: 2 }))).not.toEqual(first);
  });

  it('goes on to the same result wherever it was stopped', async () => {
    const whole = await outcome(run());
    // Ten steps an epoch: in the first, at its end, in the second, before the last step of all.
    for (const step of [0, 4, 9, 10, 17, 29]) {
      const checkpoint = { path: join(folder, `stopped-${step}`), identity: 'this' };
      await expect(run({ checkpoint, signal: stopAt(step) })).rejects.toThrow('stopped');
      expect(existsSync(checkpoint.path)).toBe(step >= 10);
      // What a process leaves that is killed while it writes.
      writeFileSync(`${checkpoint.path}.new`, 'half');
      expect(await outcome(run({ checkpoint }))).toEqual(whole);
      expect(await outcome(run({ checkpoint }))).toEqual(whole);
    }
  });

  it('refuses the checkpoint of another training', async () => {
    const path = join(folder, 'checkpoint');
    await run({ checkpoint: { path, identity: 'this' } }, { ...RECIPE, epochs: 1 });
    const found = await run({ checkpoint: { path, identity: 'that' } }).catch((error: unknown) => error);
    expect((found as RivuletError).diagnostics[0]!.code).toBe('RV5003');
  });
});
