/** Jobs in worker threads, and candidates as jobs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Network } from '../../src/autodiff/network.ts';
import { LEARNING_RATE, trainingGraph } from '../../src/autodiff/training.ts';
import runCandidate, { type Candidate, type CandidateResult } from '../../src/run/engine/candidate.ts';
import { runJobs } from '../../src/run/engine/pool.ts';

const SQUARE = new URL('../support/square-worker.mjs', import.meta.url);
/** The compiled worker: threads cannot load TypeScript. */
const BUILT = join(import.meta.dirname, '../../dist/src/run/engine/candidate.js');

interface Squared {
  readonly square: number;
  readonly thread: number;
}

describe('runJobs', () => {
  it('gives results in order, from several threads', async () => {
    const seen: number[] = [];
    const results = await runJobs<number, Squared>(SQUARE, [0, 1, 2, 3, 4, 5], {
      threads: 3,
      onResult: (_, index) => seen.push(index),
    });
    expect(results.map(({ square }) => square)).toEqual([0, 1, 4, 9, 16, 25]);
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(new Set(results.map(({ thread }) => thread)).size).toBeGreaterThan(1);
  });

  it('ends with the error of a job', async () => {
    await expect(runJobs(SQUARE, [1, -2, 3], { threads: 2 })).rejects.toThrow('-2 is negative');
  });

  it('stops', async () => {
    await expect(runJobs(SQUARE, [0, 0], { threads: 1, signal: AbortSignal.abort() })).rejects.toThrow();
  });

  it('has nothing to do', async () => {
    expect(await runJobs(SQUARE, [])).toEqual([]);
  });
});

/** Two classes told apart by the sign of a sum. */
function candidate(seed: number, steps: number): Candidate {
  const net = new Network('line', { seed });
  const labels = net.labels('labels', 4);
  const logits = net.dense('classifier', net.input('x', [4, 3]), 2);
  const graph = trainingGraph(net.build([net.crossEntropy(logits, labels)]), 'loss', {
    optimizer: { kind: 'sgd' },
  });
  return {
    graph,
    steps,
    inputs: {
      x: Float32Array.of(1, 2, 0, 2, -1, 1, -1, -1, 0, 0, -2, 1),
      labels: Int32Array.of(0, 0, 1, 1),
      [LEARNING_RATE]: Float32Array.from({ length: steps }, (_, step) => 0.5 / (step + 1)),
    },
    record: ['loss'],
    keepStates: true,
  };
}

describe('runCandidate', () => {
  it('trains, and goes on from the states it left', async () => {
    const { outputs, states } = await runCandidate(candidate(1, 20));
    const losses = outputs.loss!;
    expect(losses.length).toBe(20);
    expect(losses[19]!).toBeLessThan(losses[0]! / 2);
    const next = await runCandidate({
      ...candidate(2, 1),
      states: { ...states, unknown: Float32Array.of(1) },
    });
    expect(next.outputs.loss![0]!).toBeLessThan(losses[19]!);
  });

  it('wants inputs of the right size', async () => {
    const given = candidate(1, 20);
    const inputs = { ...given.inputs, x: new Float32Array(5) };
    await expect(runCandidate({ ...given, inputs })).rejects.toThrow('RV3002');
  });

  it.skipIf(!existsSync(BUILT))('gives the same in worker threads', async () => {
    const candidates = [1, 2, 3].map((seed) => candidate(seed, 10));
    const found = await runJobs<Candidate, CandidateResult>(new URL(`file://${BUILT}`), candidates, {
      threads: 2,
    });
    expect(found).toEqual(await Promise.all(candidates.map(runCandidate)));
  });
});
