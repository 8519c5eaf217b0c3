/** The contribution analysis of a small network: repeatable, and resumed wherever it was stopped. */
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/core/random.ts';
import { datasetOf, type Item } from '../../src/data/dataset.ts';
import { importTflite } from '../../src/import/tflite.ts';
import { prepareForTraining } from '../../src/learn/compile-training.ts';
import { layersOf } from '../../src/learn/layers.ts';
import { type AnalysisOptions, analyse } from '../../src/rehearse/contributions.ts';
import { drawSamples } from '../../src/rehearse/samples.ts';
import { IN_PROCESS } from '../../src/workers/in-process.ts';

const digits = prepareForTraining(
  importTflite(new Uint8Array(readFileSync('examples/digits/digits.tflite')), 'digits.tflite').graph,
);
/** Its number, which is that of the layers before it. */
const classifier = layersOf(digits).length - 1;
const random = createRandom(3);
const labels = Int32Array.from({ length: 60 }, (_, i) => i % 3);
const values = Uint8Array.from({ length: 60 * 784 }, (_, i) => {
  const [label, row] = [labels[Math.floor(i / 784)]!, Math.floor((i % 784) / 28)];
  return random() * 150 + (Math.abs(row - 8 * label - 5) < 3 ? 90 : 0);
});
const dataset = datasetOf({ kind: 'pixels', shape: [28, 28, 1], values, labels }, ['a', 'b', 'c']);
const asInput = (pixels: Item['values']): Uint8Array => Uint8Array.from(pixels, (pixel) => pixel - 128);
const samples = drawSamples(dataset, 24, 30, asInput, 'test');

/** The cache of this test alone: its trials must be unknown. */
const [folder, before] = [mkdtempSync(join(tmpdir(), 'rivulet-analysis-')), process.env.TMPDIR];
beforeAll(() => {
  process.env.TMPDIR = folder;
});
afterAll(() => {
  process.env.TMPDIR = before ?? '';
  if (before === undefined) delete process.env.TMPDIR;
  rmSync(folder, { recursive: true, force: true });
});

/** Threads cannot load TypeScript. */
const THREADS = join(import.meta.dirname, '../../dist/src/workers/threads.js');

function options(identity: string, tell: AnalysisOptions['tell'] = () => undefined): AnalysisOptions {
  return {
    ...{ ...samples, classes: 3, depth: 2, ratios: [1, 0.25], epochs: 1, rate: 0.01, seeds: 2 },
    ...{ workers: IN_PROCESS, identity, tell },
  };
}

/** The file with the trials of the analysis that ran last. */
function logs(): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('trials.jsonl'))
    .map((name) => join(folder, name));
}

describe('the contribution analysis', () => {
  it('gives the same when it was stopped in the middle of a line', async () => {
    const whole = await analyse(digits, options('uninterrupted'));
    const done = logs();
    const killed = options('stopped', (finished) => {
      if (finished === 5) throw new Error('killed');
    });
    await expect(analyse(digits, killed)).rejects.toThrow('killed');
    const [log] = logs().filter((name) => !done.includes(name));
    appendFileSync(log!, `{"trial":"biases 2 weights ${classifier - 2} x 0.25 seed 2","accur`);
    const told: number[][] = [];
    const resumed = await analyse(
      digits,
      options('stopped', (...counts) => told.push(counts)),
    );
    expect(resumed).toEqual(whole);
    expect(told[0]).toEqual([5, 14, 5]);
    expect(told.at(-1)).toEqual([14, 14, 5]);
    // The half line has cost no other.
    const third: number[][] = [];
    await analyse(
      digits,
      options('stopped', (...counts) => third.push(counts)),
    );
    expect(third).toEqual([[14, 14, 14]]);
    expect(whole.baseline).toBeGreaterThan(0.5);
    expect(new Set(whole.weights.map(({ layer }) => layer))).toEqual(
      new Set([classifier - 2, classifier - 1]),
    );
  });

  it('takes finished trials from where they are kept', async () => {
    const first = await analyse(digits, options('planted'));
    const log = logs().find((name) => readFileSync(name, 'utf8').split('\n').length === 15)!;
    expect(log).toBeDefined();
    const again: number[][] = [];
    expect(
      await analyse(
        digits,
        options('planted', (...counts) => again.push(counts)),
      ),
    ).toEqual(first);
    expect(again).toEqual([[14, 14, 14]]);
  });

  it('does not mix up trials with other samples, epochs or rates', async () => {
    const known: number[] = [];
    const tell: AnalysisOptions['tell'] = (done, _, before_) => {
      known.push(before_);
      if (done > 0) throw new Error('enough');
    };
    const base = options('planted', tell);
    for (const changed of [
      { epochs: 2 },
      { rate: 0.02 },
      { train: { ...samples.train, labels: samples.train.labels.toReversed() } },
    ])
      await expect(analyse(digits, { ...base, ...changed })).rejects.toThrow('enough');
    expect(new Set(known)).toEqual(new Set([0]));
  });
});

describe('the samples of an analysis', () => {
  it('are as many of every class, and apart', () => {
    const { train, held } = samples;
    expect([train.labels.length, held.labels.length]).toEqual([24, 30]);
    for (const part of [train, held]) {
      const counts = [0, 1, 2].map((label) => part.labels.filter((l) => l === label).length);
      expect(new Set(counts).size).toBe(1);
    }
    const pictures = (part: typeof train) =>
      Array.from(part.labels, (_, i) =>
        Buffer.from(part.images.slice(i * 784, (i + 1) * 784)).toString('hex'),
      );
    const shown = new Set(pictures(train));
    expect(pictures(held).filter((picture) => shown.has(picture))).toEqual([]);
  });

  it('need two items of every class', () => {
    const lonely = datasetOf(
      { kind: 'pixels', shape: [1], values: new Uint8Array(4), labels: Int32Array.of(0, 0, 1, 0) },
      ['a', 'b'],
    );
    expect(() => drawSamples(lonely, 2, 2, asInput, 'test')).toThrow(/RV4005.*"b"/);
  });

  it.skipIf(!existsSync(THREADS))('gives the same in threads', async () => {
    const { ThreadWorkers } = (await import(THREADS)) as typeof import('../../src/workers/threads.ts');
    const workers = new ThreadWorkers(2);
    const inThreads = await analyse(digits, { ...options('threads'), workers });
    await workers.close();
    expect(inThreads).toEqual(await analyse(digits, options('no threads')));
  });
});
