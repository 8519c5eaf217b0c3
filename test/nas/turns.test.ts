/** Memory of groups of pieces, from their turns, against the simulation of the whole group. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/core/random.ts';
import { lower } from '../../src/lower/lower.ts';
import { architectureOf } from '../../src/nas/architecture.ts';
import { type Genome, randomGenome } from '../../src/nas/genome.ts';
import { graphOf, graphOfLayers } from '../../src/nas/graph.ts';
import { leastPeak } from '../../src/nas/memory.ts';
import { piecesOf } from '../../src/nas/pieces.ts';
import { SPACES, type Space } from '../../src/nas/space.ts';
import { ChainPeaks, turnsOf } from '../../src/nas/turns.ts';
import { runPasses } from '../../src/passes/pipeline.ts';
import type { Program } from '../../src/program/types.ts';
import { CutSearch } from '../../src/schedule/cuts.ts';
import { pushRows } from '../../src/schedule/push.ts';
import { findTarget } from '../../src/targets/index.ts';
import { joined } from '../support/joined.ts';

const KERNELS = { isas: findTarget('stm32f746').core.isas, optimize: 'speed' } as const;
const PASSES_LEFT_OUT = ['remove-constant-channels'];

function programsOf(space: Space, genome: Genome): Program[] {
  return piecesOf(architectureOf(space, genome)).map(({ layers, input, range }) =>
    lower(runPasses(graphOfLayers(layers, input, range), 'int8', PASSES_LEFT_OUT), KERNELS),
  );
}

describe.each(['mcunet', 'cifar', 'fashion', 'mcunet-v2'])('a network of the space %s', (name) => {
  const space = SPACES.find((each) => each.name === name)!;
  const random = createRandom(11);
  const part = { ...space, resolutions: space.resolutions.slice(0, 5) };

  it('is its pieces', () => {
    const genome = randomGenome(part, random);
    const program = lower(
      runPasses(graphOf(architectureOf(space, genome)), 'int8', PASSES_LEFT_OUT),
      KERNELS,
    );
    const bound = ({ calls }: Program) =>
      calls.map(({ kernel, geometry, firings, macs, slots, output }) => ({
        kernel,
        geometry,
        firings,
        macs,
        slots: slots.map(({ source, ...view }) => view),
        bytes: output.rowBytes,
      }));
    expect(bound(joined(programsOf(space, genome)))).toEqual(bound(program));
  });

  it.each([1, 2])('has groups that need what simulating them says, number %i', () => {
    const programs = programsOf(space, randomGenome(part, random));
    const peaks = new ChainPeaks(programs.map(turnsOf));
    for (let i = 0; i < 40; ++i) {
      const first = i % 3 === 0 ? 0 : Math.floor(random() * programs.length);
      const until = first + 1 + Math.floor(random() * (programs.length - first));
      const group = joined(programs.slice(first, until));
      const program = first === 0 ? pushRows(group) : group;
      const simulated = new CutSearch(program).cost(0, program.calls.length - 1);
      expect(peaks.peak(first, until, Number.POSITIVE_INFINITY)).toBe(simulated);
      expect(peaks.peak(first, until, simulated)).toBe(Number.POSITIVE_INFINITY);
      expect(peaks.peak(first, until, simulated + 1)).toBe(simulated);
    }
  });

  it('has the best cuts that there are between its pieces', () => {
    const programs = programsOf(space, randomGenome(part, random));
    const turns = programs.map(turnsOf);
    const peaks = new ChainPeaks(turns);
    const unlimited = Number.POSITIVE_INFINITY;
    const least = [0];
    for (let until = 1; until <= turns.length; ++until) {
      least.push(
        Math.min(...least.map((before, first) => Math.max(before, peaks.peak(first, until, unlimited)))),
      );
    }
    expect(leastPeak(turns, unlimited)).toBe(least.at(-1));
    expect(leastPeak(turns, least.at(-1)!)).toBe(unlimited);
    expect(new CutSearch(pushRows(joined(programs))).best().liveBytes).toBeLessThanOrEqual(least.at(-1)!);
  });
});
