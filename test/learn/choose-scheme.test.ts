/** The search for schemes, beside trying them all; contributions from accuracies. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/core/random.ts';
import { type Choice, type Cost, type Costs, chooseScheme } from '../../src/learn/choose-scheme.ts';
import { type Contributions, contributionsOf, trialsOf } from '../../src/learn/contributions.ts';

const LAYERS = 4;
const RATIOS = [1, 0.5, 0.25];

/** A network with random gains whose bytes add up; placing it takes up to `waste` bytes more than are live. */
function instance(seed: number, waste: number) {
  const random = createRandom(seed);
  const pick = (below: number): number => Math.floor(random() * below);
  const contributions: Contributions = {
    layers: LAYERS,
    baseline: 0.5,
    biases: [0, ...Array.from({ length: LAYERS }, () => (pick(40) - 10) / 1000)],
    weights: Array.from({ length: LAYERS }, (_, layer) =>
      RATIOS.map((ratio) => ({ layer, ratio, gain: (pick(60) - 15) / 1000 })),
    ).flat(),
  };
  const layerBytes = Array.from({ length: LAYERS }, () => 100 + pick(900));
  const kept = ({ biases, weights }: Choice): number =>
    20 * biases + weights.reduce((sum, { layer, ratio }) => sum + layerBytes[layer]! * ratio, 0);
  const least = (choice: Choice): Cost => ({
    sram: kept(choice) + 300 + 30 * choice.biases,
    flash: 1000,
    instructions: 100 * choice.biases + 10 * choice.weights.length,
  });
  const counted = (choice: Choice): Cost => {
    const cost = least(choice);
    return { ...cost, sram: cost.sram + (waste * (1 + Math.sin(kept(choice)))) / 2 };
  };
  const costs: Costs = { kept, least, counted: async (choice) => counted(choice) };
  return { contributions, costs, counted };
}

function* allChoices(): Generator<Choice> {
  const options = [0, ...RATIOS];
  for (let biases = 0; biases <= LAYERS; ++biases) {
    for (let code = 0; code < options.length ** LAYERS; ++code) {
      const ratios = Array.from(
        { length: LAYERS },
        (_, i) => options[Math.floor(code / options.length ** i) % options.length]!,
      );
      if (ratios.some((ratio, layer) => ratio > 0 && layer < LAYERS - biases)) continue;
      yield {
        biases,
        weights: ratios.flatMap((ratio, layer) => (ratio > 0 ? [{ layer, ratio }] : [])),
      };
    }
  }
}

function gainOf({ biases, weights }: Contributions, choice: Choice): number {
  return choice.weights.reduce(
    (sum, { layer, ratio }) => sum + weights.find((w) => w.layer === layer && w.ratio === ratio)!.gain,
    biases[choice.biases]!,
  );
}

describe('the search for a scheme', () => {
  it('finds the most that fits, as trying every scheme does', async () => {
    for (let seed = 1; seed <= 40; ++seed) {
      const { contributions, costs, counted } = instance(seed, 0);
      const sram = 400 + 50 * seed;
      const found = await chooseScheme(contributions, { sram }, costs);
      const most = Math.max(
        ...[...allChoices()]
          .filter((choice) => counted(choice).sram <= sram)
          .map((choice) => gainOf(contributions, choice)),
      );
      expect(found.gain).toBeCloseTo(most, 9);
      expect(gainOf(contributions, found)).toBeCloseTo(found.gain, 9);
    }
  });

  it('keeps the budget by what is counted, however much that is beyond the live bytes', async () => {
    let gained = 0;
    for (let seed = 1; seed <= 40; ++seed) {
      const { contributions, costs, counted } = instance(seed, 300);
      const limits = { sram: 1000 + 20 * seed, instructions: 330 };
      const found = await chooseScheme(contributions, limits, costs);
      expect(found.cost).toEqual(counted(found));
      expect(found.cost.sram).toBeLessThanOrEqual(limits.sram);
      expect(found.cost.instructions).toBeLessThanOrEqual(limits.instructions);
      gained += found.gain;
    }
    expect(gained).toBeGreaterThan(1);
  });

  it('gives what a smaller budget gives, and no less', async () => {
    const { contributions, costs } = instance(7, 0);
    let before = 0;
    for (let sram = 350; sram < 4000; sram += 150) {
      const { gain } = await chooseScheme(contributions, { sram }, costs);
      expect(gain).toBeGreaterThanOrEqual(before);
      before = gain;
    }
    expect(before).toBeGreaterThan(0);
  });

  it('says what the smallest scheme takes if that is too much', async () => {
    const { contributions, costs } = instance(1, 0);
    await expect(chooseScheme(contributions, { sram: 299 }, costs)).rejects.toThrow(
      /RV5006.*takes 300 bytes of SRAM, the limit is 299/,
    );
  });

  it('goes on without schemes that cannot be planned', async () => {
    const { contributions, costs } = instance(3, 0);
    const none = { sram: Number.POSITIVE_INFINITY, flash: 0, instructions: 0 };
    const limited: Costs = {
      ...costs,
      least: (choice) => (choice.biases > 2 ? none : costs.least(choice)),
      counted: async (choice) => (choice.biases > 2 ? none : costs.counted(choice)),
    };
    const found = await chooseScheme(contributions, { sram: 1e6 }, limited);
    expect(found.biases).toBeLessThanOrEqual(2);
  });
});

describe('contributions', () => {
  it('are differences to the classifier alone, and of weights to the biases alone', () => {
    const trials = trialsOf(5, 2, [1, 0.5]);
    expect(trials.map(({ biases, weights }) => [biases, weights?.layer, weights?.ratio])).toEqual([
      [0, undefined, undefined],
      [1, undefined, undefined],
      [2, undefined, undefined],
      [1, 4, 1],
      [1, 4, 0.5],
      [2, 3, 1],
      [2, 3, 0.5],
    ]);
    const accuracies = [
      [0.5, 0.25],
      [0.5, 0.5],
      [0.75, 0.5],
      [0.75, 0.75],
      [0.5, 0.5],
      [0.5, 0.75],
      [1, 1],
    ];
    const found = contributionsOf(5, trials, accuracies);
    expect(found.baseline).toBe(0.375);
    expect(found.biases).toEqual([0, 0.125, 0.25]);
    expect(found.weights).toEqual([
      { layer: 4, ratio: 1, gain: 0.25 },
      { layer: 4, ratio: 0.5, gain: 0 },
      { layer: 3, ratio: 1, gain: 0 },
      { layer: 3, ratio: 0.5, gain: 0.375 },
    ]);
  });
});
