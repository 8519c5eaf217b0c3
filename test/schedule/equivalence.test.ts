/**
 * Random graphs mean the same when they are streamed: with the input resident and with its rows pushed, on WebAssembly
 * and as emitted C. RIVULET_FUZZ_STREAMS=n sets the number of graphs and RIVULET_FUZZ_FROM=n the first seed; a failure
 * names the seed and the fewest layers that still show it.
 */
import { describe, expect, it } from 'vitest';
import type { Optimize } from '../../src/core/isa.ts';
import { emitProject } from '../../src/emit/project.ts';
import { type Graph, requireValue } from '../../src/ir/types.ts';
import { lower } from '../../src/lower/lower.ts';
import { runPasses } from '../../src/passes/pipeline.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { type Program, pushCall } from '../../src/program/types.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { pushRows } from '../../src/schedule/push.ts';
import { stream } from '../../src/schedule/stream.ts';
import { survives } from '../plan/replay.ts';
import { type EmittedCase, failuresOf, hasCommand } from '../support/emitted.ts';
import { inputsFor } from '../support/inputs.ts';
import { describeGraph, randomGraph } from '../support/random-graph.ts';

const FIRST = Number(process.env.RIVULET_FUZZ_FROM ?? 0);
const GRAPHS = Number(process.env.RIVULET_FUZZ_STREAMS ?? 60);
/** Graphs in one `it`, so that progress shows. */
const BATCH = 30;
/** Every so many graphs one is compiled as C too. */
const EMITTED_EVERY = Math.max(1, Math.floor(GRAPHS / 12));
/**
 * Graphs that found faults: rows written out of order, a row table that one place makes superfluous, a staged ring that
 * made one group of two.
 */
const FOUND_FAULTS = [107, 144, 54];
const SANITIZE = ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

describe('random graphs, streamed', () => {
  const batches = Array.from({ length: Math.ceil(GRAPHS / BATCH) }, (_, i) => FIRST + i * BATCH);
  it.each(batches)('reference = wasm, from seed %i', async (first) => {
    const failures: string[] = [];
    for (let seed = first; seed < Math.min(FIRST + GRAPHS, first + BATCH); ++seed) {
      const failure = await shrunk(seed);
      if (failure !== null) failures.push(failure);
    }
    expect(failures.join('\n\n')).toBe('');
  });

  it.each(FOUND_FAULTS)('reference = wasm, for seed %i', async (seed) => {
    expect(await shrunk(seed)).toBeNull();
  });

  it.skipIf(!hasCommand('gcc')).each<Optimize>(['speed', 'size'])('reference = C for %s', (optimize) => {
    const cases = FOUND_FAULTS.flatMap((seed) => emitted(seed, optimize));
    for (let seed = FIRST; seed < FIRST + GRAPHS; seed += EMITTED_EVERY)
      cases.push(...emitted(seed, optimize));
    for (let i = 0; i < cases.length; i += BATCH) {
      expect(failuresOf(cases.slice(i, i + BATCH), { command: 'gcc', flags: SANITIZE })).toEqual([]);
    }
  });
});

/** The graph of a seed: after all passes, or as built for every fourth, which has more kinds of nodes. */
function graphOf(seed: number, layers = 1 + (seed % 12)): Graph {
  const graph = randomGraph(seed, layers);
  return seed % 4 === 3 ? graph : runPasses(graph, 'float');
}

/** The program of a graph in both input modes; rows can be pushed into one input only. */
function streamsOf(graph: Graph): { mode: string; program: Program; plan: Plan }[] {
  const program = lower(graph);
  return [
    { mode: 'resident', ...stream(program) },
    ...(program.inputs.length === 1 ? [{ mode: 'rows', ...stream(pushRows(program)) }] : []),
  ];
}

/** What is wrong with the graph of `seed`, shown on the fewest layers; null when nothing is. */
async function shrunk(seed: number): Promise<string | null> {
  if ((await firstDifference(graphOf(seed))) === null) return null;
  for (let layers = 1; ; ++layers) {
    const graph = graphOf(seed, layers);
    const difference = await firstDifference(graph);
    if (difference !== null) return `seed ${seed}, ${layers} layers: ${difference}\n${describeGraph(graph)}`;
  }
}

async function firstDifference(graph: Graph): Promise<string | null> {
  try {
    for (const { mode, program, plan } of streamsOf(graph)) {
      // The checker has proved the plan; the replay shares nothing with it.
      if (!survives(program, plan)) return `${mode}: the plan loses bytes`;
      const difference = await executorDifference(graph, program, plan);
      if (difference !== null) return `${mode}: ${difference}`;
    }
    return null;
  } catch (error) {
    return `threw ${error instanceof Error ? error.stack : error}`;
  }
}

/** Reference against WebAssembly with a dirty arena, twice. */
async function executorDifference(graph: Graph, program: Program, plan: Plan): Promise<string | null> {
  const executor = await WasmExecutor.create(program, plan);
  for (const seed of [1, 2]) {
    const inputs = inputsFor(graph, seed);
    executor.dirty(seed * 85);
    const values = new Map<string, Uint8Array>();
    const actual = executor.run(inputs, ({ result }, bytes) => values.set(result!.name, bytes));
    const wrong: string[] = [];
    const expected = runReference(graph, inputs, ({ outs }, [out]) => {
      const { name } = requireValue(graph, outs[0]!);
      const bytes = values.get(name);
      if (bytes && !sameBytes([bytes], [new Uint8Array(out!.data.buffer)])) wrong.push(name);
    });
    if (!sameBytes(actual, expected)) return `wasm differs from the reference; wrong values: ${wrong}`;
    if (wrong.length > 0) return `right outputs, but wrong values at the ends of groups: ${wrong}`;
  }
  return null;
}

function emitted(seed: number, optimize: Optimize): EmittedCase[] {
  const graph = graphOf(seed);
  const samples = [1, 2].map((sample) => {
    const inputs = inputsFor(graph, sample);
    return { inputs, outputs: runReference(graph, inputs) };
  });
  return streamsOf(graph).map(({ mode, program, plan }) => {
    const name = `${mode}_${seed}`;
    const push = pushCall(program);
    return {
      name,
      project: emitProject(program, plan, { name, optimize, provenance: name }),
      samples,
      ...(push && { pushed: { rows: push.firings, rowBytes: push.output.rowBytes } }),
    };
  });
}

function sameBytes(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((bytes, i) => Buffer.compare(bytes, b[i]!) === 0);
}
