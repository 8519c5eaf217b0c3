/**
 * Random graphs mean the same everywhere: the reference of the graph as built, after all passes and after all but one,
 * the WebAssembly executor on the planned arena, and the emitted C. RIVULET_FUZZ=n sets the number of graphs and
 * RIVULET_FUZZ_FROM=n the first seed; a failure names the seed and the fewest layers that still show it.
 */
import { describe, expect, it } from 'vitest';
import type { Optimize } from '../../src/core/isa.ts';
import { emitProject } from '../../src/emit/project.ts';
import type { Graph } from '../../src/ir/types.ts';
import { lower } from '../../src/lower/lower.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { PASSES, runPasses } from '../../src/passes/pipeline.ts';
import { plan } from '../../src/plan/plan.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { type CompilerChoice, type EmittedCase, failuresOf, hasCommand } from '../support/emitted.ts';
import { inputsFor } from '../support/inputs.ts';
import { describeGraph, randomGraph } from '../support/random-graph.ts';

const FIRST = Number(process.env.RIVULET_FUZZ_FROM ?? 0);
const GRAPHS = Number(process.env.RIVULET_FUZZ ?? 300);
/** Graphs in one `it`, so that progress shows. */
const BATCH = 50;
/** Every so many graphs one is compiled as C too, in batches of one compiler call. */
const EMITTED_EVERY = Math.max(1, Math.floor(GRAPHS / 40));
const SANITIZE = ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const COMPILERS: readonly { optimize: Optimize; compiler: CompilerChoice }[] = [
  { optimize: 'speed', compiler: { command: 'gcc', flags: SANITIZE } },
  { optimize: 'size', compiler: { command: 'gcc', flags: SANITIZE } },
];

describe('random graphs', () => {
  const batches = Array.from({ length: Math.ceil(GRAPHS / BATCH) }, (_, i) => FIRST + i * BATCH);
  it.each(batches)('reference = passes = wasm, from seed %i', async (first) => {
    const failures: string[] = [];
    for (let seed = first; seed < Math.min(FIRST + GRAPHS, first + BATCH); ++seed) {
      const failure = await shrunk(seed);
      if (failure !== null) failures.push(failure);
    }
    expect(failures.join('\n\n')).toBe('');
  });

  describe.each(COMPILERS)('emitted for $optimize', ({ optimize, compiler }) => {
    it.skipIf(!hasCommand(compiler.command))('computes the same', () => {
      const cases: EmittedCase[] = [];
      for (let seed = FIRST; seed < FIRST + GRAPHS; seed += EMITTED_EVERY)
        cases.push(emitted(seed, optimize));
      for (let i = 0; i < cases.length; i += BATCH) {
        expect(failuresOf(cases.slice(i, i + BATCH), compiler)).toEqual([]);
      }
    });
  });
});

function layersOf(seed: number): number {
  return 1 + (seed % 12);
}

/** What is wrong with the graph of `seed`, shown on the fewest layers; null when nothing is. */
async function shrunk(seed: number): Promise<string | null> {
  if ((await firstDifference(randomGraph(seed, layersOf(seed)))) === null) return null;
  for (let layers = 1; ; ++layers) {
    const graph = randomGraph(seed, layers);
    const difference = await firstDifference(graph);
    if (difference !== null) return `seed ${seed}, ${layers} layers: ${difference}\n${describeGraph(graph)}`;
  }
}

async function firstDifference(graph: Graph): Promise<string | null> {
  const problems = verifyGraph(graph);
  if (problems.length > 0) return `the generator made an invalid graph: ${problems[0]!.message}`;
  try {
    return (await passDifference(graph)) ?? (await executorDifference(graph));
  } catch (error) {
    return `threw ${error instanceof Error ? error.stack : error}`;
  }
}

async function passDifference(graph: Graph): Promise<string | null> {
  const inputs = inputsFor(graph, 1);
  const expected = runReference(graph, inputs);
  const skips = [[], ...PASSES.map((pass) => [pass.name])];
  for (const skip of skips) {
    const rewritten = runPasses(graph, 'float', skip);
    const title = `passes without [${skip}]`;
    if (!sameBytes(runReference(rewritten, inputs), expected))
      return `${title} change the reference's result`;
    const difference = await executorDifference(rewritten);
    if (difference !== null) return `after ${title}: ${difference}`;
  }
  return null;
}

/** Reference against WebAssembly with a dirty arena, twice. */
async function executorDifference(graph: Graph): Promise<string | null> {
  const program = lower(graph);
  const executor = await WasmExecutor.create(program, plan(program));
  for (const seed of [1, 2]) {
    const inputs = inputsFor(graph, seed);
    executor.dirty(seed * 85);
    const layers = new Map<string, Uint8Array>();
    const actual = executor.run(inputs, (call, bytes) => layers.set(call.origin.name, bytes));
    const wrong: string[] = [];
    const expected = runReference(graph, inputs, ({ op, origin }, [out]) => {
      const bytes = layers.get(origin.name);
      const data = new Uint8Array(out!.data.buffer);
      if (op !== 'reshape' && bytes && !sameBytes([bytes], [data])) wrong.push(origin.name);
    });
    if (!sameBytes(actual, expected)) return `wasm differs from the reference, first in layer ${wrong[0]}`;
  }
  return null;
}

function emitted(seed: number, optimize: Optimize): EmittedCase {
  const original = randomGraph(seed, layersOf(seed));
  const graph = runPasses(original, 'float');
  const program = lower(graph);
  const name = `random_${seed}`;
  const samples = [1, 2].map((sample) => {
    const inputs = inputsFor(original, sample);
    return { inputs, outputs: runReference(original, inputs) };
  });
  return {
    name,
    project: emitProject(program, plan(program), { name, optimize, provenance: name }),
    samples,
  };
}

function sameBytes(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((bytes, i) => Buffer.compare(bytes, b[i]!) === 0);
}
