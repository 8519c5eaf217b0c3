import { describe, expect, test } from 'vitest';
import { plan } from '../../src/plan/plan.ts';
import type { Program } from '../../src/program/types.ts';
import { type Timeline, type TimelineLimits, timeline } from '../../src/report/timeline.ts';
import { ProgramSketch, randomChain, randomProgram } from '../plan/programs.ts';
import { randomStream } from '../plan/rings.ts';

const seeds = Array.from({ length: 25 }, (_, i) => i + 1);
const PROGRAMS: [string, (seed: number) => Program][] = [
  ['chains', (seed) => randomChain(seed, 8)],
  ['graphs', (seed) => randomProgram(seed, { calls: 8, maxRows: 9, maxRowBytes: 12, irregular: true })],
  ['streams', (seed) => randomStream(seed, { stages: 5, maxRows: 12, maxRowBytes: 9 })],
];

function planned(program: Program, limits?: TimelineLimits) {
  const chosen = plan(program);
  return { chosen, time: timeline(program, chosen, limits) };
}

function mostOf(time: Timeline, call: number): number {
  return Math.max(0, ...time.live.filter((_, column) => time.calls[column] === call));
}

describe.each(PROGRAMS)('random %s', (_, make) => {
  test('the curve is what the planner counted, call by call', () => {
    for (const seed of seeds) {
      const { chosen, time } = planned(make(seed));
      expect(Math.max(...time.live)).toBe(chosen.liveBytes);
      expect(time.live[time.peak]).toBe(chosen.liveBytes);
      chosen.liveByCall.forEach((bytes, call) => {
        // What lies there before the first firing counts for its call.
        const first = chosen.schedule[0]!.call === call ? time.live[0]! : 0;
        expect(Math.max(first, mostOf(time, call))).toBe(bytes);
      });
    }
  });

  test('the holders of the peak add up to it', () => {
    for (const seed of seeds) {
      const { chosen, time } = planned(make(seed));
      expect(time.tracks.reduce((sum, track) => sum + track.atPeak, 0)).toBe(chosen.liveBytes);
    }
  });

  test('blocks lie inside their buffers and the run, and never share a byte of a buffer in a column', () => {
    for (const seed of seeds) {
      const { time } = planned(make(seed));
      for (const { blocks, bytes } of time.tracks) {
        const owner = new Map<string, number>();
        for (const [i, { start, end, birth, death }] of blocks.entries()) {
          expect([start < end, end <= bytes, birth <= death, death < time.live.length]).not.toContain(false);
          for (let column = birth; column < death; ++column) {
            for (let byte = start; byte < end; ++byte) {
              const key = `${column}:${byte}`;
              expect(owner.has(key)).toBe(false);
              owner.set(key, i);
            }
          }
        }
      }
    }
  });

  test('wide columns keep the peak and everything that is live', () => {
    for (const seed of seeds) {
      const { time: fine } = planned(make(seed));
      const { time: coarse } = planned(make(seed), { columns: 20, blocks: 30 });
      const width = coarse.stepsPerColumn;
      expect(coarse.live.length).toBeLessThanOrEqual(20);
      expect(coarse.live[coarse.peak]).toBe(fine.live[fine.peak]);
      const total = coarse.tracks.reduce((sum, track) => sum + track.blocks.length, 0);
      expect(total <= 30 || coarse.live.length === 1).toBe(true);
      fine.tracks.forEach((track, i) => {
        for (const block of track.blocks) {
          const [birth, death] = [Math.floor(block.birth / width), Math.floor(block.death / width)];
          const covers = coarse.tracks[i]!.blocks.some(
            (wide) =>
              wide.start <= block.start &&
              block.end <= wide.end &&
              wide.birth <= birth &&
              death <= wide.death,
          );
          expect(covers).toBe(true);
        }
      });
    }
  });
});

test('a ring says which rows pass through its places', () => {
  const sketch = new ProgramSketch();
  const input = sketch.buffer(4, 'input');
  const ring = sketch.buffer(4);
  const output = sketch.buffer(2);
  const rows = [0, 1, 2, 3];
  sketch.call([{ buffer: input, rowBytes: 1, rows }], { buffer: ring, rowBytes: 2, rows, ring: 2 });
  sketch.call([{ buffer: ring, rowBytes: 2, rows, ring: 2 }], {
    buffer: output,
    rowBytes: 2,
    rows: [0, 0, 0, 0],
  });
  const turns = rows.flatMap((row) =>
    [0, 1].map((call) => ({ call, first: row, count: 1, step: 1 as const })),
  );
  const { time } = planned(sketch.finish([output], turns));
  const track = time.tracks.find(({ buffer }) => buffer === ring)!;
  expect(track.rows).toBe(4);
  expect(track.blocks.map(({ start, firstRow, birth, death }) => [start, firstRow, birth, death])).toEqual([
    [0, 0, 1, 2],
    [0, 2, 5, 6],
    [2, 1, 3, 4],
    [2, 3, 7, 8],
  ]);
});

test('without firings there is one empty picture', () => {
  const { time } = planned(new ProgramSketch().finish([]));
  expect(time).toMatchObject({ live: [0, 0], calls: [-1, -1], peak: 0, tracks: [] });
});
