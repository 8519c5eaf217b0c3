/** Evolution by itself: what it draws keeps all limits, it gets better than chance, and it ends where nothing is left. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RivuletError } from '../../src/core/diagnostics.ts';
import { type Genome, keyOf, positionsOf } from '../../src/nas/genome.ts';
import { SPACES, type Space, subspace } from '../../src/nas/space.ts';
import { best, DEFAULT_SETTINGS, evolve, type Oracle, type Settings } from '../../src/search/evolution.ts';
import { exceeded, type LimitName, type Limits } from '../../src/search/limits.ts';
import { fitPredictor } from '../../src/search/predictor.ts';

const FASHION = subspace(SPACES.find(({ name }) => name === 'fashion')!, 28, 0.4);
const LIMITS: Limits = { sram: 260, flash: 1e9 };
const SETTINGS: Settings = { ...DEFAULT_SETTINGS, population: 20, iterations: 10, parents: 6 };

/** Something that each block adds to, as memory is: large windows and wide blocks. */
function sizeOf(space: Space, genome: Genome): number {
  return positionsOf(space, genome).reduce(
    (sum, { index }) => sum + genome.kernels[index]! * genome.expansions[index]!,
    0,
  );
}

/** A worth with a preference for each gene, and for large windows behind small ones. */
function worthOf(space: Space, genome: Genome): number {
  const shown = positionsOf(space, genome);
  return shown.reduce((sum, { index, stage }, i) => {
    const [kernel, expansion] = [genome.kernels[index]!, genome.expansions[index]!];
    const before = i === 0 ? 7 : genome.kernels[shown[i - 1]!.index]!;
    const likes = expansion === 3 + (stage % 4) ? 2 : 0;
    return sum + likes + (kernel > before ? 1 : 0) + (kernel === 3 + 2 * (index % 3) ? 1 : 0);
  }, 0);
}

type Asked = { costs: number; accuracies: string[] };

/** The cheap check overlooks every third network that does not fit: `costs` refuses it. */
function oracleOf(space: Space, limits: Limits, asked: Asked = { costs: 0, accuracies: [] }): Oracle<number> {
  const refusal = (genome: Genome): LimitName | null =>
    exceeded(limits, { sram: sizeOf(space, genome), flash: 0, macs: 0, latency: 0 });
  return {
    limits,
    refuses: (genome) => (sizeOf(space, genome) % 3 === 0 ? null : refusal(genome)),
    costs: async (genomes) => {
      asked.costs += genomes.length;
      return genomes.map((genome) => refusal(genome) ?? sizeOf(space, genome));
    },
    accuracies: async (genomes) => {
      asked.accuracies.push(...genomes.map((genome) => keyOf(space, genome)));
      return genomes.map((genome) => worthOf(space, genome));
    },
  };
}

describe('evolution', () => {
  it('beats as many networks drawn at random, with every seed', async () => {
    const found = async (settings: Partial<Settings>): Promise<number> => {
      const judged = await evolve(FASHION, { ...SETTINGS, ...settings }, oracleOf(FASHION, LIMITS));
      expect(judged).toHaveLength(220);
      return best(judged, 1)[0]!.accuracy;
    };
    for (const seed of [1, 2, 3]) {
      const chance = await found({ seed, strategy: 'random' });
      // 33 to 35 against 21 to 24: more than luck makes of random networks.
      expect(await found({ seed })).toBeGreaterThan(chance + 5);
    }
  });

  it('never judges a network that does not fit, nor one twice', async () => {
    const settings = fc.record({
      population: fc.integer({ min: 1, max: 12 }),
      iterations: fc.integer({ min: 0, max: 4 }),
      parents: fc.integer({ min: 1, max: 5 }),
      mutation: fc.constantFrom(0.05, 0.3, 1),
      seed: fc.nat(),
      sram: fc.integer({ min: 200, max: 400 }),
      strategy: fc.constantFrom('evolution' as const, 'random' as const),
      predicts: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(settings, async ({ sram, predicts, ...rest }) => {
        const asked: Asked = { costs: 0, accuracies: [] };
        const judged = await evolve(FASHION, rest, oracleOf(FASHION, { ...LIMITS, sram }, asked), {
          ...(predicts && { predict: () => (genome: Genome) => -sizeOf(FASHION, genome) }),
        });
        for (const { genome, cost } of judged) {
          expect(sizeOf(FASHION, genome)).toBeLessThanOrEqual(sram);
          expect(cost).toBe(sizeOf(FASHION, genome));
        }
        expect(new Set(asked.accuracies).size).toBe(asked.accuracies.length);
        expect(asked.accuracies).toEqual(judged.map(({ key }) => key));
        expect(judged.length).toBe(rest.population * (rest.iterations + 1));
      }),
      { numRuns: 40 },
    );
  });

  it('ends where the space has no more', async () => {
    const tiny: Space = {
      ...FASHION,
      kernels: [3],
      expansions: [3],
      stages: [{ channels: 16, stride: 1, depths: [1, 2, 3] }],
    };
    const judged = await evolve(tiny, SETTINGS, oracleOf(tiny, LIMITS));
    expect(judged.map(({ genome }) => genome.depths[0]).sort()).toEqual([1, 2, 3]);
  });

  it('says which limit refuses most where nothing fits', async () => {
    const oracle = oracleOf(FASHION, { ...LIMITS, sram: 10 });
    const error = await evolve(FASHION, SETTINGS, oracle).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RivuletError);
    const [diagnostic] = (error as RivuletError).diagnostics;
    expect(diagnostic).toMatchObject({ code: 'RV6003', origin: '--max-sram' });
    expect(diagnostic!.message).toMatch(/none fits: 10 bytes of SRAM refuse \d+/);
  });

  it('has children of the best: mutation alone stays near them', async () => {
    const judged = await evolve(
      FASHION,
      { ...SETTINGS, population: 2, parents: 1, mutation: 0.02, iterations: 30 },
      oracleOf(FASHION, LIMITS),
    );
    const accuracies = judged.map(({ accuracy }) => accuracy);
    for (const { genome, generation } of judged.filter((each) => each.generation > 0)) {
      const before = best(
        judged.filter((each) => each.generation < generation),
        1,
      )[0]!;
      const genes = ['kernels', 'expansions', 'depths'] as const;
      const changed = genes.flatMap((kind) =>
        genome[kind].filter((gene, i) => gene !== before.genome[kind][i]),
      );
      expect(changed.length).toBeLessThan(8);
    }
    expect(Math.max(...accuracies)).toBeGreaterThan(accuracies[0]!);
  });
});

describe('the predictor', () => {
  it('orders networks whose genes add up', async () => {
    const worth = (genome: Genome): number =>
      positionsOf(FASHION, genome).reduce((sum, { index }) => sum + genome.kernels[index]! - (index % 2), 0);
    const judged = await evolve(FASHION, { ...SETTINGS, strategy: 'random' }, oracleOf(FASHION, LIMITS));
    const genomes = judged.map(({ genome }) => genome);
    const known = genomes.slice(0, 160);
    const guess = fitPredictor(FASHION, known, known.map(worth));
    const rest = genomes.slice(160);
    const errors = rest.map((genome) => Math.abs(guess(genome) - worth(genome)));
    const spread = rest.map((genome) => Math.abs(worth(genome) - worth(rest[0]!)));
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(errors)).toBeLessThan(mean(spread) / 5);
  });

  it('finds better networks with as many evaluations', async () => {
    const found = async (predicts: boolean): Promise<number> => {
      const predict = (judged: readonly { genome: Genome; accuracy: number }[]) =>
        fitPredictor(
          FASHION,
          judged.map(({ genome }) => genome),
          judged.map(({ accuracy }) => accuracy),
        );
      const settings = { ...SETTINGS, iterations: 4 };
      let sum = 0;
      for (const seed of [1, 2, 3, 4]) {
        const judged = await evolve(FASHION, { ...settings, seed }, oracleOf(FASHION, LIMITS), {
          ...(predicts && { predict }),
        });
        sum += best(judged, 1)[0]!.accuracy;
      }
      return sum;
    };
    expect(await found(true)).toBeGreaterThan(await found(false));
  });
});
