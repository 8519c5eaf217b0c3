/**
 * Random graphs over time: every window that slides along a stream gives the bytes that the reference computes from
 * scratch, with the most and with the least kept. RIVULET_FUZZ=n sets the number of graphs and RIVULET_FUZZ_FROM=n the
 * first seed.
 */
import { describe, expect, it } from 'vitest';
import { chooseOverTime } from '../../src/choose-over-time.ts';
import type { Scheduled } from '../../src/choose-schedule.ts';
import { RivuletError } from '../../src/core/diagnostics.ts';
import { createRandom } from '../../src/core/random.ts';
import { emitProject } from '../../src/emit/project.ts';
import type { Graph } from '../../src/ir/types.ts';
import { FrameStream, referenceStream } from '../../src/run/stream.ts';
import { type EmittedCase, failuresOf, hasCommand } from '../support/emitted.ts';
import { describeGraph, randomGraph } from '../support/random-graph.ts';
import { randomFrames } from '../support/streams.ts';

const FIRST = Number(process.env.RIVULET_FUZZ_FROM ?? 0);
const GRAPHS = Number(process.env.RIVULET_FUZZ ?? 300);
/** Graphs in one `it`, so that progress shows. */
const BATCH = 50;
/** Graphs that are compiled as C too, by one call of the compiler. */
const EMITTED = 24;
const SANITIZE = ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
/** Bytes that no model fits: as little as possible is kept. */
const NOTHING = 0;

/** Graphs that have frames and something to reuse, of all seeds so far; and those of which less can be kept. */
const met = { streams: 0, variants: 0, hops: new Set<number>() };

describe('random graphs over time', () => {
  const batches = Array.from({ length: Math.ceil(GRAPHS / BATCH) }, (_, i) => FIRST + i * BATCH);
  it.each(batches)('each window as from scratch, from seed %i', async (first) => {
    const failures: string[] = [];
    for (let seed = first; seed < Math.min(FIRST + GRAPHS, first + BATCH); ++seed) {
      const graph = graphOf(seed);
      const hop = seed % 3 === 0 ? 1 + (seed % 5) : undefined;
      const most = overTime(graph, hop);
      if (most === null) continue;
      met.streams += 1;
      met.hops.add(most.program.sliding!.hopFrames);
      const least = overTime(graph, hop, NOTHING)!;
      if (macsOf(least) > macsOf(most)) met.variants += 1;
      for (const scheduled of [most, least]) {
        if (await differs(graph, scheduled, seed)) failures.push(`seed ${seed}:\n${describeGraph(graph)}`);
      }
    }
    expect(failures.join('\n\n')).toBe('');
  });

  it.skipIf(!hasCommand('gcc'))('the same in C', () => {
    const cases: EmittedCase[] = [];
    for (let seed = FIRST; cases.length < EMITTED && seed < FIRST + GRAPHS; seed += 3) {
      const graph = graphOf(seed);
      const scheduled = overTime(graph, undefined, seed % 2 === 0 ? NOTHING : undefined);
      if (scheduled !== null) cases.push(emitted(`stream_${seed}`, graph, scheduled, seed));
    }
    expect(failuresOf(cases, { command: 'gcc', flags: SANITIZE })).toEqual([]);
  });

  it.skipIf(GRAPHS < 300)('meets streams, hops and padding of many kinds', () => {
    expect(met.streams).toBeGreaterThan(GRAPHS / 4);
    expect(met.variants).toBeGreaterThan(GRAPHS / 50);
    expect([...met.hops]).toEqual(expect.arrayContaining([1, 2, 3, 4]));
  });
});

function graphOf(seed: number): Graph {
  const random = createRandom(seed + 99);
  const pick = (lowest: number, highest: number) => lowest + Math.floor(random() * (highest - lowest + 1));
  return randomGraph(seed, 1 + (seed % 7), [1, pick(6, 30), pick(1, 4), pick(1, 3)]);
}

/** null where the model has no frames or nothing to reuse. */
function overTime(graph: Graph, hop: number | undefined, maxSram?: number): Scheduled | null {
  try {
    return chooseOverTime(graph, hop, maxSram);
  } catch (error) {
    if (error instanceof RivuletError && ['RV2009', 'RV2007'].includes(error.diagnostics[0]!.code))
      return null;
    throw error;
  }
}

function emitted(name: string, graph: Graph, { program, plan }: Scheduled, seed: number): EmittedCase {
  const { windowFrames, hopFrames } = program.sliding!;
  const frames = randomFrames(program, windowFrames + 2 * hopFrames + 1, seed);
  const outputs = referenceStream(graph, program.sliding!, frames);
  const project = emitProject(program, plan, { name, optimize: 'size', provenance: '' });
  return { name, project, samples: [], stream: { frames, outputs } };
}

function macsOf({ program }: Scheduled): number {
  return program.calls.reduce((sum, { macs }) => sum + macs, 0);
}

async function differs(graph: Graph, { program, plan }: Scheduled, seed: number): Promise<boolean> {
  const sliding = program.sliding!;
  const frames = randomFrames(program, sliding.windowFrames + 4 * sliding.hopFrames + 1, seed);
  const stream = await FrameStream.open(program, plan);
  const outputs = frames.map((frame) => stream.push(frame));
  return JSON.stringify(outputs) !== JSON.stringify(referenceStream(graph, sliding, frames));
}
