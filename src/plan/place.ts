/**
 * Addresses for buffers. A greedy pass places them in some order, in one of two ways: each at the lowest free address or,
 * if it is marked so, at the highest one below a cap (good for many buffers that come and go); or each where the arena
 * grows least, downwards too (good for chains, whose outputs creep over their inputs). A seeded annealing search varies
 * the way, the order and the sides, with the arena to beat as the cap. The number of tries is fixed, so the same program always gives the same plan. A heuristic: the result is proved safe
 * by the checker, and compared with the lower bound by tests and reports.
 */
import { createRandom } from '../core/random.ts';
import type { Interval } from './conflicts.ts';

/** Every address is a multiple of this: kernels may use 32-bit access on buffers and scratch. */
export const ALIGNMENT = 4;

export interface Placement {
  /** Address of each buffer, by index. */
  readonly addresses: readonly number[];
  readonly bytes: number;
}

export interface PlacementProblem {
  /** Size of each buffer in bytes. */
  readonly sizes: readonly number[];
  /** conflicts[a]: the buffers that a may not freely overlap, with the forbidden base(b) - base(a). */
  readonly conflicts: readonly (readonly Conflict[])[];
  /** First and last firing in which each buffer is live. */
  readonly spans: readonly { readonly birth: number; readonly death: number }[];
  /** No placement can be smaller. */
  readonly lowerBound: number;
}

export interface Conflict {
  readonly other: number;
  readonly forbidden: readonly Interval[];
}

/** Annealing: worse arenas are accepted up to this share of the best one, falling to none. */
const TEMPERATURE = 0.02;

/** Places all buffers; `tries` bounds the search. */
export function place(problem: PlacementProblem, tries: number): Placement {
  return new Placer(problem).search(tries);
}

/** An order to place buffers in, how, and which of them go to the top. */
interface Genome {
  readonly order: readonly number[];
  /** Where the arena grows least, instead of lowest or highest. */
  readonly floating: boolean;
  readonly top: readonly boolean[];
}

class Placer {
  private readonly problem: PlacementProblem;
  private readonly bases: Int32Array;
  private readonly placed: Uint8Array;
  /** The conflicts of each buffer: forbidden base(other) - base(this), low, high, low, high ... */
  private readonly neighbours: readonly (readonly {
    readonly other: number;
    readonly forbidden: Int32Array;
  }[])[];
  /** Forbidden open intervals of the buffer being placed, apart and ascending: low, high, low, high ... */
  private readonly blocked: Int32Array;
  private blockedEnd = 0;
  private best: Placement | undefined;

  constructor(problem: PlacementProblem) {
    this.problem = problem;
    this.bases = new Int32Array(problem.sizes.length);
    this.placed = new Uint8Array(problem.sizes.length);
    const most = problem.conflicts.reduce(
      (max, list) =>
        Math.max(
          max,
          list.reduce((sum, { forbidden }) => sum + forbidden.length, 0),
        ),
      0,
    );
    this.blocked = new Int32Array(2 * most);
    this.neighbours = problem.conflicts.map((list) =>
      list.map(({ other, forbidden }) => ({
        other,
        forbidden: Int32Array.from(forbidden.flatMap(({ low, high }) => [low, high])),
      })),
    );
  }

  search(tries: number): Placement {
    let current = this.firstGenome();
    let bytes = this.best!.bytes;
    let [champion, championBytes] = [current, bytes];
    const { lowerBound, sizes } = this.problem;
    const random = createRandom(sizes.length);
    for (let i = 0; i < tries && this.best!.bytes > lowerBound; ++i) {
      const candidate = this.vary(current, random);
      const candidateBytes = this.greedy(candidate, Math.max(lowerBound, this.best!.bytes - ALIGNMENT));
      if (candidateBytes < championBytes) [champion, championBytes] = [candidate, candidateBytes];
      const tolerance = TEMPERATURE * (1 - i / tries) * this.best!.bytes;
      if (candidateBytes <= bytes + tolerance * -Math.log(random() + 1e-9)) {
        [current, bytes] = [candidate, candidateBytes];
      }
      // Back to the best now and then, lest the walk drifts away.
      if (i % 1000 === 999) [current, bytes] = [champion, championBytes];
    }
    return this.best!;
  }

  /** The best of a few orders that often are good already. */
  private firstGenome(): Genome {
    const { sizes, spans } = this.problem;
    const life = (b: number): number => spans[b]!.death - spans[b]!.birth + 1;
    const keys: ((b: number) => number)[] = [
      (b) => -sizes[b]!,
      (b) => spans[b]!.birth,
      (b) => -spans[b]!.death,
      (b) => -sizes[b]! * life(b),
      (b) => -life(b),
    ];
    const bottom = sizes.map(() => false);
    let first: Genome | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const key of keys) {
      const order = sizes.map((_, b) => b).sort((a, b) => key(a) - key(b) || a - b);
      for (const floating of [false, true]) {
        const genome = { order, top: bottom, floating };
        const bytes = this.greedy(genome, 0);
        if (bytes < least) [first, least] = [genome, bytes];
      }
    }
    return first!;
  }

  /** One to three changes: swap two buffers, move one, change one's side, or move one that sets the peak forward. */
  private vary({ order, top, floating }: Genome, random: () => number): Genome {
    const pick = (count: number): number => Math.floor(random() * count);
    const count = order.length;
    const varied = [...order];
    const sides = [...top];
    for (let changes = 1 + pick(3); changes > 0; --changes) {
      const kind = pick(4);
      if (kind === 0) {
        const [i, j] = [pick(count), pick(count)];
        [varied[i], varied[j]] = [varied[j]!, varied[i]!];
      } else if (kind === 1) {
        const [moved] = varied.splice(pick(count), 1);
        varied.splice(pick(count), 0, moved!);
      } else if (kind === 2) {
        const b = pick(count);
        sides[b] = !sides[b];
      } else {
        const { addresses, bytes } = this.best!;
        const peaks = varied.filter((b) => addresses[b]! + this.problem.sizes[b]! > bytes - ALIGNMENT);
        const from = varied.indexOf(peaks[pick(peaks.length)] ?? varied[0]!);
        const [moved] = varied.splice(from, 1);
        varied.splice(pick(from + 1), 0, moved!);
      }
    }
    return { order: varied, top: sides, floating: pick(16) === 0 ? !floating : floating };
  }

  /** Places everything in order; keeps the result if it is the best so far. Returns its size. */
  private greedy({ order, top, floating }: Genome, cap: number): number {
    const { sizes } = this.problem;
    this.placed.fill(0);
    let low = 0;
    let high = 0;
    for (const buffer of order) {
      const size = sizes[buffer]!;
      this.collectBlocked(buffer);
      let base = floating ? this.nearest(size, low, high) : top[buffer] ? this.highest(cap - size) : -1;
      if (base < 0 && !floating) base = this.lowest();
      this.bases[buffer] = base;
      this.placed[buffer] = 1;
      low = Math.min(low, base);
      high = Math.max(high, base + size);
    }
    const bytes = alignUp(high - low);
    if (this.best === undefined || bytes < this.best.bytes) {
      this.best = { addresses: Array.from(this.bases, (base) => base - low), bytes };
    }
    return bytes;
  }

  /** The forbidden addresses of `buffer`, given those placed before it. */
  private collectBlocked(buffer: number): void {
    this.blockedEnd = 0;
    for (const { other, forbidden } of this.neighbours[buffer]!) {
      if (this.placed[other] === 0) continue;
      const base = this.bases[other]!;
      for (let i = 0; i < forbidden.length; i += 2)
        this.block(base - forbidden[i + 1]!, base - forbidden[i]!);
    }
  }

  /** Adds an open interval; those that only touch it stay apart, for the address between them is free. */
  private block(low: number, high: number): void {
    const { blocked, blockedEnd } = this;
    let from = 0;
    while (from < blockedEnd && blocked[from + 1]! <= low) from += 2;
    let to = from;
    while (to < blockedEnd && blocked[to]! < high) to += 2;
    const start = to > from ? Math.min(low, blocked[from]!) : low;
    const end = to > from ? Math.max(high, blocked[to - 1]!) : high;
    if (to !== from + 2) {
      blocked.copyWithin(from + 2, to, blockedEnd);
      this.blockedEnd += from + 2 - to;
    }
    blocked[from] = start;
    blocked[from + 1] = end;
  }

  /** The free address next to what is blocked at which [low, high) grows least, the lowest of equals. */
  private nearest(size: number, low: number, high: number): number {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    const consider = (base: number): void => {
      const span = Math.max(high, base + size) - Math.min(low, base);
      if (span > least || (span === least && base >= best) || this.isBlocked(base)) return;
      [best, least] = [base, span];
    };
    consider(low);
    for (let i = 0; i < this.blockedEnd; i += 2) {
      consider(alignDown(this.blocked[i]!));
      consider(alignUp(this.blocked[i + 1]!));
    }
    return best;
  }

  private isBlocked(base: number): boolean {
    for (let i = 0; i < this.blockedEnd && this.blocked[i]! < base; i += 2) {
      if (base < this.blocked[i + 1]!) return true;
    }
    return false;
  }

  private lowest(): number {
    let base = 0;
    for (let i = 0; i < this.blockedEnd && this.blocked[i]! < base; i += 2) {
      if (base < this.blocked[i + 1]!) base = alignUp(this.blocked[i + 1]!);
    }
    return base;
  }

  /** The highest free address not above `limit`; negative if there is none. */
  private highest(limit: number): number {
    let base = alignDown(limit);
    for (let i = this.blockedEnd - 2; i >= 0 && base >= 0 && base < this.blocked[i + 1]!; i -= 2) {
      if (this.blocked[i]! < base) base = alignDown(this.blocked[i]!);
    }
    return base;
  }
}

export function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function alignDown(bytes: number): number {
  return Math.floor(bytes / ALIGNMENT) * ALIGNMENT;
}
