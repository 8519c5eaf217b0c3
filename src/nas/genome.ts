/** A network of a space as genes: drawn, mutated, crossed, compared, written and read. */
import { fail } from '../core/diagnostics.ts';
import { fnv1a } from '../core/random.ts';
import type { JsonObject } from '../formats/json.ts';
import { blockCount, type Space } from './space.ts';

/**
 * The genes are values, not indices: they mean the same in every space that allows them. Blocks of all stages follow each
 * other, each stage with as many as its greatest depth; those beyond the chosen one are carried along unseen.
 */
export interface Genome {
  readonly resolution: number;
  /** One for the network, or one for the first convolution and block, and one for every other block. */
  readonly widths: readonly number[];
  /** By block. */
  readonly kernels: readonly number[];
  readonly expansions: readonly number[];
  /** By stage. */
  readonly depths: readonly number[];
}

/** Uniform in [0, 1), as `createRandom` makes it. */
export type Random = () => number;

/** What each gene may be, laid out as a genome. */
interface Choices {
  readonly resolution: readonly number[];
  readonly widths: readonly (readonly number[])[];
  readonly kernels: readonly (readonly number[])[];
  readonly expansions: readonly (readonly number[])[];
  readonly depths: readonly (readonly number[])[];
}

function choicesOf(space: Space): Choices {
  const blocks = blockCount(space);
  const repeated = (choices: readonly number[], count: number) =>
    new Array<typeof choices>(count).fill(choices);
  return {
    resolution: space.resolutions,
    widths: repeated(space.widths, space.widthPer === 'block' ? blocks + 1 : 1),
    kernels: repeated(space.kernels, blocks),
    expansions: repeated(space.expansions, blocks),
    depths: space.stages.map(({ depths }) => depths),
  };
}

/** Every gene independently and uniformly: kernels first, then expansions, depths, widths and resolution. */
export function randomGenome(space: Space, random: Random): Genome {
  const choices = choicesOf(space);
  const draw = (genes: readonly (readonly number[])[]) => genes.map((gene) => pick(gene, random));
  return {
    kernels: draw(choices.kernels),
    expansions: draw(choices.expansions),
    depths: draw(choices.depths),
    widths: draw(choices.widths),
    resolution: pick(choices.resolution, random),
  };
}

/** Redraws each gene with a probability; it may come out as it was. */
export function mutate(space: Space, genome: Genome, probability: number, random: Random): Genome {
  const drawn = (gene: number, choices: readonly number[]) =>
    random() < probability ? pick(choices, random) : gene;
  const choices = choicesOf(space);
  const all = (genes: readonly number[], of: readonly (readonly number[])[]) =>
    genes.map((gene, i) => drawn(gene, of[i]!));
  return {
    kernels: all(genome.kernels, choices.kernels),
    expansions: all(genome.expansions, choices.expansions),
    depths: all(genome.depths, choices.depths),
    widths: all(genome.widths, choices.widths),
    resolution: drawn(genome.resolution, choices.resolution),
  };
}

/** Each gene from one of two genomes of a space. */
export function crossover(a: Genome, b: Genome, random: Random): Genome {
  const from = (x: number, y: number) => (random() < 0.5 ? x : y);
  const all = (x: readonly number[], y: readonly number[]) => x.map((gene, i) => from(gene, y[i]!));
  return {
    kernels: all(a.kernels, b.kernels),
    expansions: all(a.expansions, b.expansions),
    depths: all(a.depths, b.depths),
    widths: all(a.widths, b.widths),
    resolution: from(a.resolution, b.resolution),
  };
}

/** The largest network: every gene at its last choice. A super-network has its shapes. */
export function largestGenome(space: Space): Genome {
  return randomGenome(space, () => 1 - 2 ** -32);
}

/** Where a block that a genome shows stands among all blocks of the space. */
export interface Position {
  readonly stage: number;
  /** In its stage. */
  readonly place: number;
  /** Of its genes. */
  readonly index: number;
}

/** The blocks that a genome shows. */
export function positionsOf(space: Space, { depths }: Genome): Position[] {
  let start = 0;
  return space.stages.flatMap((stage, s) => {
    const first = start;
    start += stage.depths.at(-1)!;
    return Array.from({ length: depths[s]! }, (_, place) => ({ stage: s, place, index: first + place }));
  });
}

/** The genome of the same network whose unseen genes are the first choices. */
export function canonical(space: Space, genome: Genome): Genome {
  const shown = new Set(positionsOf(space, genome).map(({ index }) => index));
  const seen = (genes: readonly number[], rest: number) =>
    genes.map((gene, i) => (shown.has(i) ? gene : rest));
  const widths =
    space.widthPer === 'network'
      ? genome.widths
      : genome.widths.map((gene, i) => (i === 0 || shown.has(i - 1) ? gene : space.widths[0]!));
  return {
    ...genome,
    widths,
    kernels: seen(genome.kernels, space.kernels[0]!),
    expansions: seen(genome.expansions, space.expansions[0]!),
  };
}

/** Equal for genomes that show the same network: `r144 w0.5 | 5e3 7e6 | ...`, with a width for each block `5e3w0.75`. */
export function keyOf(space: Space, genome: Genome): string {
  const stages: string[] = space.stages.map(() => '');
  for (const { stage, index } of positionsOf(space, genome)) {
    const width = space.widthPer === 'block' ? `w${genome.widths[index + 1]}` : '';
    stages[stage] += ` ${genome.kernels[index]}e${genome.expansions[index]}${width}`;
  }
  return `r${genome.resolution} w${genome.widths[0]} |${stages.join(' |')}`;
}

/** A number for `keyOf`, 32 bits. */
export function hashOf(space: Space, genome: Genome): number {
  return fnv1a(new TextEncoder().encode(keyOf(space, genome)));
}

/**
 * A genome from JSON, as `JSON.stringify` writes it.
 * @throws RivuletError the dialect's if a field is not as a genome has it, RV6002 if a gene is not of the space
 */
export function readGenome(space: Space, json: JsonObject): Genome {
  const choices = choicesOf(space);
  const genes = (key: 'widths' | 'kernels' | 'expansions' | 'depths'): readonly number[] => {
    const values = json.numbers(key, choices[key].length);
    for (const [i, value] of values.entries()) {
      requireChoice(value, choices[key][i]!, `${json.origin}: ${key}[${i}]`);
    }
    return values;
  };
  const resolution = json.number('resolution');
  requireChoice(resolution, choices.resolution, `${json.origin}: resolution`);
  return {
    resolution,
    widths: genes('widths'),
    kernels: genes('kernels'),
    expansions: genes('expansions'),
    depths: genes('depths'),
  };
}

function requireChoice(value: number, choices: readonly number[], origin: string): void {
  if (choices.includes(value)) return;
  fail('RV6002', `${value} is not a choice of the space`, { origin, hint: `one of ${choices.join(', ')}` });
}

function pick(choices: readonly number[], random: Random): number {
  return choices[Math.floor(random() * choices.length)]!;
}
