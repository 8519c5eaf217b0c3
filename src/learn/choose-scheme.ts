/**
 * The scheme with the largest sum of contributions within limits (MCUNetV3, section 3.2; the paper counts memory by a
 * formula and searches by evolution). Here the planner counts, and what it counts is nearly a knapsack: what a layer
 * keeps for its training adds up, and the rest depends on little but how far back the gradient goes. So for each number of
 * trained biases dynamic programming gives every sum of contributions that no fewer kept bytes give; along that front the
 * live bytes of the lowered program grow, and bisection finds the last scheme within the limits; then single layers are
 * exchanged. The placed program decides: by how much it is beyond its live bytes, the search is tightened until it fits.
 */
import { fail } from '../core/diagnostics.ts';
import type { Contributions, LayerGain } from './contributions.ts';

/** What is trained beside the classifier. */
export interface Choice {
  readonly biases: number;
  /** Ascending by layer, at most one entry for each. */
  readonly weights: readonly { readonly layer: number; readonly ratio: number }[];
}

/** Bytes and instructions of a training step; infinite where no program can be planned. */
export interface Cost {
  readonly sram: number;
  readonly flash: number;
  readonly instructions: number;
}

export type Limits = Partial<Cost>;

/** What a choice costs, ever more precisely and more slowly. Answers are asked for again and should be remembered. */
export interface Costs {
  /** Bytes kept between inference and gradients: additive over layers, milliseconds. */
  kept(choice: Choice): number;
  /** Live bytes of the lowered program and what else is known without placing it: below a second. */
  least(choice: Choice): Cost;
  /** Of the program as it would be emitted: many seconds. */
  counted(choice: Choice): Promise<Cost>;
}

export interface ChosenScheme extends Choice {
  /** Sum of the contributions. */
  readonly gain: number;
  readonly cost: Cost;
}

const NOTHING: Choice = { biases: 0, weights: [] };
const MEASURES = ['sram', 'flash', 'instructions'] as const;
/** Gains are counted in millionths, so that sums in another order are the same. */
const UNIT = 1e-6;
/** Tightenings of the search, more than it ever takes; then the classifier alone is left. */
const MAX_ROUNDS = 12;

/**
 * @throws RivuletError RV5006 if not even the training of the classifier alone fits
 */
export async function chooseScheme(
  contributions: Contributions,
  limits: Limits,
  costs: Costs,
): Promise<ChosenScheme> {
  const classifier = await costs.counted(NOTHING);
  requireFit(classifier, limits);
  let tightened = limits;
  for (let round = 0; round < MAX_ROUNDS; ++round) {
    const choice = best(contributions, tightened, costs);
    if (choice === null) break;
    const cost = await costs.counted(choice);
    if (fits(cost, limits)) return { ...choice, gain: gainOf(contributions, choice) * UNIT, cost };
    const least = costs.least(choice);
    tightened = Object.fromEntries(
      MEASURES.flatMap((measure) => {
        const limit = limits[measure];
        if (limit === undefined) return [];
        const beyond = limit - Math.max(0, cost[measure] - least[measure]);
        // Where the planner finds nothing, or the gap is no larger than before, something smaller is tried all the same.
        return [[measure, Math.min(beyond, tightened[measure]!, least[measure] - 1)]];
      }),
    );
  }
  return { ...NOTHING, gain: 0, cost: classifier };
}

/** The choice with the largest gain whose least cost is within the limits; null if none is. */
function best(contributions: Contributions, limits: Limits, costs: Costs): Choice | null {
  const room = limits.sram ?? Number.POSITIVE_INFINITY;
  const fronts = contributions.biases.map((_, biases) =>
    frontOf(contributions, biases, costs).filter(({ bytes }) => bytes <= room),
  );
  const order = fronts
    .filter((front) => front.length > 0)
    .toSorted((a, b) => b.at(-1)!.gain - a.at(-1)!.gain || a[0]!.choice.biases - b[0]!.choice.biases);
  let found: Point | null = null;
  for (const front of order) {
    const better = front.filter(({ gain }) => found === null || gain > found.gain);
    const last = lastFitting(better, (point) => fits(costs.least(point.choice), limits));
    if (last !== null) found = last;
  }
  return found && exchanged(contributions, found, limits, costs);
}

interface Point {
  readonly choice: Choice;
  readonly bytes: number;
  readonly gain: number;
}

/** Choices with these biases, by ascending kept bytes and gain: none has more gain in as few bytes. */
function frontOf(contributions: Contributions, biases: number, costs: Costs): Point[] {
  const base: Choice = { biases, weights: [] };
  const bytes = costs.kept(base);
  let front: Point[] = [{ choice: base, bytes, gain: gainOf(contributions, base) }];
  for (const options of optionsOf(contributions, biases)) {
    const sized = options.map(({ layer, ratio, gain }) => ({
      entry: { layer, ratio },
      more: costs.kept({ biases, weights: [{ layer, ratio }] }) - bytes,
      gain: millionths(gain),
    }));
    const extended = front.flatMap((point) =>
      sized.map(
        ({ entry, more, gain }): Point => ({
          choice: { biases, weights: [...point.choice.weights, entry] },
          bytes: point.bytes + more,
          gain: point.gain + gain,
        }),
      ),
    );
    front = undominated([...front, ...extended]);
  }
  return front;
}

/** By layer, what may be trained of its weights: what gains nothing is left out. */
function optionsOf({ layers, weights }: Contributions, biases: number): LayerGain[][] {
  const useful = weights.filter(({ layer, gain }) => layer >= layers - biases && millionths(gain) > 0);
  const byLayer = [...new Set(useful.map(({ layer }) => layer))].sort((a, b) => a - b);
  return byLayer.map((layer) => useful.filter((option) => option.layer === layer));
}

function undominated(points: readonly Point[]): Point[] {
  let most = Number.NEGATIVE_INFINITY;
  return points
    .toSorted((a, b) => a.bytes - b.bytes || b.gain - a.gain)
    .filter(({ gain }) => {
      if (gain <= most) return false;
      most = gain;
      return true;
    });
}

/** The last of a list that fits, where those that fit come first. */
function lastFitting<T>(list: readonly T[], fitsOne: (item: T) => boolean): T | null {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fitsOne(list[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? null : list[low - 1]!;
}

/** Hill climbing: another ratio for one layer, or none, wherever the gain grows and the limits are kept. */
function exchanged(contributions: Contributions, start: Point, limits: Limits, costs: Costs): Choice {
  let current = start;
  for (let improved = true; improved; ) {
    improved = false;
    // Kept bytes are part of the live ones: what keeps more than there is room for cannot fit.
    const room = current.bytes + (limits.sram ?? Number.POSITIVE_INFINITY) - costs.least(current.choice).sram;
    for (const { layer, ratio } of optionsOf(contributions, current.choice.biases).flat()) {
      const others = current.choice.weights.filter((entry) => entry.layer !== layer);
      const weights = [...others, { layer, ratio }].sort((a, b) => a.layer - b.layer);
      const choice = { ...current.choice, weights };
      const gain = gainOf(contributions, choice);
      if (gain <= current.gain) continue;
      const bytes = costs.kept(choice);
      if (bytes > room || !fits(costs.least(choice), limits)) continue;
      [current, improved] = [{ choice, bytes, gain }, true];
      break;
    }
  }
  return current.choice;
}

/** In millionths. */
function gainOf({ biases, weights }: Contributions, choice: Choice): number {
  return choice.weights.reduce((sum, { layer, ratio }) => {
    const entry = weights.find((candidate) => candidate.layer === layer && candidate.ratio === ratio)!;
    return sum + millionths(entry.gain);
  }, millionths(biases[choice.biases]!));
}

function millionths(gain: number): number {
  return Math.round(gain / UNIT);
}

function fits(cost: Cost, limits: Limits): boolean {
  return MEASURES.every((measure) => cost[measure] <= (limits[measure] ?? Number.POSITIVE_INFINITY));
}

const WHAT = { sram: 'bytes of SRAM', flash: 'bytes of flash', instructions: 'instructions a step' } as const;

function requireFit(cost: Cost, limits: Limits): void {
  const over = MEASURES.filter((measure) => cost[measure] > (limits[measure] ?? Number.POSITIVE_INFINITY));
  if (over.length === 0) return;
  const found = over.map(
    (measure) => `${Math.ceil(cost[measure])} ${WHAT[measure]}, the limit is ${limits[measure]}`,
  );
  fail('RV5006', `training the classifier alone takes ${found.join('; ')}`, {
    hint: 'that is the smallest scheme there is: give more, or a smaller model or input',
  });
}
