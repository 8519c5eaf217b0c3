/**
 * Evolution of the networks of a space under limits, with the settings of MCUNet (arXiv 2007.10319): the best parents have
 * children by crossover and by mutation, drawn again until they keep all limits. It knows neither data nor compilers.
 */
import { fail } from '../core/diagnostics.ts';
import { createRandom } from '../core/random.ts';
import { crossover, type Genome, keyOf, mutate, type Random, randomGenome } from '../nas/genome.ts';
import type { Space } from '../nas/space.ts';
import { type LimitName, type Limits, limitText } from './limits.ts';

export interface Settings {
  /** evolution, or as many networks drawn at random, to compare with. */
  readonly strategy: 'evolution' | 'random';
  /** Networks of a generation; half of the children by crossover, half by mutation. */
  readonly population: number;
  /** Generations behind the first, which is random. */
  readonly iterations: number;
  /** The best of all that were judged have the children. */
  readonly parents: number;
  /** Probability that a gene is drawn anew. */
  readonly mutation: number;
  readonly seed: number;
}

/** As published. */
export const DEFAULT_SETTINGS: Settings = {
  strategy: 'evolution',
  population: 100,
  iterations: 30,
  parents: 20,
  mutation: 0.1,
  seed: 1,
};

/** Who knows what networks cost and are worth. Equal questions get equal answers. */
export interface Oracle<Cost> {
  readonly limits: Limits;
  /** At once: the limit that a network certainly exceeds, or null. */
  refuses(genome: Genome): LimitName | null;
  /** Exactly: what a network costs, or the limit that it exceeds. */
  costs(genomes: readonly Genome[]): Promise<readonly (Cost | LimitName)[]>;
  accuracies(genomes: readonly Genome[]): Promise<readonly number[]>;
}

export interface Judged<Cost> {
  readonly genome: Genome;
  /** As `keyOf` says: no two are equal. */
  readonly key: string;
  /** From 0. */
  readonly generation: number;
  readonly cost: Cost;
  readonly accuracy: number;
}

export interface Options<Cost> {
  /** Called after every generation, with all that were judged until then. */
  readonly onGeneration?: (judged: readonly Judged<Cost>[], generation: number) => void;
  /** Guesses accuracies from those that are known; several times as many children are drawn, and the best guesses judged. */
  readonly predict?: (judged: readonly Judged<Cost>[]) => (genome: Genome) => number;
  /** Stops between two batches of questions. */
  readonly signal?: AbortSignal;
}

/** Draws in a row without a new network that may fit, after which there seem to be no more. */
const MAX_DRAWS = 2000;
/** Draws in a row after which crossover, whose parents may have become alike, gets mutation to help. */
const PATIENCE = 50;
/** As `MAX_DRAWS`, for networks that might have fitted and did not: each of them was compiled. */
const MAX_MISSES = 300;
/** Children that are guessed about for each that is judged. */
const GUESSED = 4;

/**
 * All networks that were judged, in order. It ends early where the space has no more networks that fit.
 * @throws RivuletError RV6003 where none fits, naming the limit that refuses most
 */
export async function evolve<Cost>(
  space: Space,
  settings: Settings,
  oracle: Oracle<Cost>,
  options: Options<Cost> = {},
): Promise<Judged<Cost>[]> {
  const judged: Judged<Cost>[] = [];
  const drawing = new Drawing(space, oracle);
  for (let generation = 0; generation <= settings.iterations; ++generation) {
    const random = createRandom(Math.imul(settings.seed, 0x9e3779b1) + generation);
    const breed = breeder(space, settings, best(judged, settings.parents), random);
    const isFirst = judged.length === 0 || settings.strategy === 'random';
    const guess = isFirst ? undefined : options.predict?.(judged);
    const found = await drawing.fill(settings.population, breed, guess, options.signal);
    if (found.length === 0) break;
    const accuracies = await oracle.accuracies(found.map(({ genome }) => genome));
    judged.push(...found.map((each, i) => ({ ...each, generation, accuracy: accuracies[i]! })));
    options.signal?.throwIfAborted();
    options.onGeneration?.(judged, generation);
  }
  if (judged.length === 0) drawing.refuse();
  return judged;
}

/** The most accurate; of equals those that were judged first. */
export function best<Cost>(judged: readonly Judged<Cost>[], count: number): Judged<Cost>[] {
  return judged.toSorted((a, b) => b.accuracy - a.accuracy).slice(0, count);
}

/** Draws the `child`-th of a generation, after so many draws in vain; without parents anything. */
type Breed = (child: number, inVain: number) => Genome;

function breeder(
  space: Space,
  { strategy, population, mutation }: Settings,
  parents: readonly { readonly genome: Genome }[],
  random: Random,
): Breed {
  if (parents.length === 0 || strategy === 'random') return () => randomGenome(space, random);
  const parent = (): Genome => parents[Math.floor(random() * parents.length)]!.genome;
  const mutant = (genome: Genome): Genome => mutate(space, genome, mutation, random);
  return (child, inVain) => {
    if (child >= population / 2) return mutant(parent());
    const crossed = crossover(parent(), parent(), random);
    return inVain < PATIENCE ? crossed : mutant(crossed);
  };
}

type Found<Cost> = Pick<Judged<Cost>, 'genome' | 'key' | 'cost'>;

/** Networks that fit, none of them twice. */
class Drawing<Cost> {
  private readonly space: Space;
  private readonly oracle: Oracle<Cost>;
  private readonly seen = new Set<string>();
  private readonly refused = new Map<LimitName, number>();

  constructor(space: Space, oracle: Oracle<Cost>) {
    this.space = space;
    this.oracle = oracle;
  }

  /** As many as `count`, fewer where no more are found. */
  async fill(
    count: number,
    breed: Breed,
    guess: ((genome: Genome) => number) | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Found<Cost>[]> {
    const found: Found<Cost>[] = [];
    let misses = 0;
    while (found.length < count && misses < MAX_MISSES) {
      const proposals = this.propose(count - found.length, found.length, breed, guess);
      if (proposals.length === 0) break;
      const costs = await this.oracle.costs(proposals);
      signal?.throwIfAborted();
      proposals.forEach((genome, i) => {
        const cost = costs[i]!;
        if (typeof cost === 'string') {
          this.count(cost as LimitName);
          misses += 1;
        } else {
          found.push({ genome, key: keyOf(this.space, genome), cost: cost as Cost });
          misses = 0;
        }
      });
    }
    return found;
  }

  /** Networks that may fit. Where accuracies are guessed, the best of several times as many. */
  private propose(
    count: number,
    first: number,
    breed: Breed,
    guess: ((genome: Genome) => number) | undefined,
  ): Genome[] {
    const proposals: Genome[] = [];
    const wanted = guess === undefined ? count : count * GUESSED;
    for (let draws = 0; proposals.length < wanted && draws < MAX_DRAWS; ++draws) {
      const genome = breed(first + (proposals.length % count), draws);
      const key = keyOf(this.space, genome);
      if (this.seen.has(key)) continue;
      const limit = this.oracle.refuses(genome);
      if (limit !== null) {
        this.count(limit);
        continue;
      }
      this.seen.add(key);
      proposals.push(genome);
      draws = -1;
    }
    if (guess === undefined) return proposals;
    const guesses = new Map(proposals.map((genome) => [genome, guess(genome)]));
    const ranked = proposals.toSorted((a, b) => guesses.get(b)! - guesses.get(a)!);
    // What is not tried now may be drawn again.
    for (const genome of ranked.slice(count)) this.seen.delete(keyOf(this.space, genome));
    return ranked.slice(0, count);
  }

  private count(limit: LimitName): void {
    this.refused.set(limit, (this.refused.get(limit) ?? 0) + 1);
  }

  refuse(): never {
    const refusals = [...this.refused].sort(([, a], [, b]) => b - a);
    const total = refusals.reduce((sum, [, n]) => sum + n, 0);
    const [most, times] = refusals[0] ?? ['sram', 0];
    const others = refusals.slice(1).map(([name, n]) => `${limitText(this.oracle.limits, name)} ${n}`);
    const rest = others.length === 0 ? '' : `, ${others.join(', ')}`;
    return fail(
      'RV6003',
      `of ${total} networks of "${this.space.name}" none fits: ${limitText(this.oracle.limits, most)} refuse ${times}${rest}`,
      {
        origin: `--max-${most}`,
        hint: 'raise the limit, or search a space of smaller width or resolution',
      },
    );
  }
}
