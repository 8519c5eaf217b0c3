/** Candidates: trainings as plain data, alone and as jobs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Network } from '../../src/autodiff/network.ts';
import { LEARNING_RATE, trainingGraph } from '../../src/autodiff/training.ts';
import { type Candidate, runCandidate, runCandidates } from '../../src/run/engine/candidate.ts';
import { IN_PROCESS } from '../../src/workers/in-process.ts';
import type { Workers } from '../../src/workers/workers.ts';

/** Threads cannot load TypeScript. */
const BUILT = join(import.meta.dirname, '../../dist/src');

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

  const candidates = [1, 2, 3].map((seed) => candidate(seed, 10));

  it('gives the same as a job', async () => {
    expect(await runCandidates(candidates, IN_PROCESS)).toEqual(
      await Promise.all(candidates.map(runCandidate)),
    );
  });

  it.skipIf(!existsSync(BUILT))('gives the same in worker threads', async () => {
    const { ThreadWorkers } = await import(join(BUILT, 'workers/threads.js'));
    const workers: Workers = new ThreadWorkers(2);
    const found = await runCandidates(candidates, workers);
    await workers.close();
    expect(found).toEqual(await Promise.all(candidates.map(runCandidate)));
  });
});
