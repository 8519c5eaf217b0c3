/**
 * Addresses for buffers. Buffers are placed one after another, each at the address that makes the arena grow least;
 * a seeded local search then varies the order. The number of tries is fixed, so the same program always gives the
 * same plan. Optimal for chains in practice (the result meets the lower bound); a heuristic for general graphs.
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
  /** No placement can be smaller. */
  readonly lowerBound: number;
}

export interface Conflict {
  readonly other: number;
  readonly forbidden: readonly Interval[];
}

/** Places all buffers; `tries` bounds the local search. */
export function place(problem: PlacementProblem, tries: number): Placement {
  const count = problem.sizes.length;
  const indices = Array.from({ length: count }, (_, i) => i);
  const bySize = [...indices].sort((a, b) => problem.sizes[b]! - problem.sizes[a]! || a - b);
  let bestOrder = bySize;
  let best = placeInOrder(problem, bySize);
  const consider = (order: number[]): void => {
    if (best.bytes <= problem.lowerBound) return;
    const candidate = placeInOrder(problem, order);
    if (candidate.bytes <= best.bytes) [best, bestOrder] = [candidate, order];
  };
  consider(indices);
  consider([...indices].reverse());
  const random = createRandom(count);
  for (let i = 0; i < tries && best.bytes > problem.lowerBound; ++i) consider(vary(bestOrder, random));
  return best;
}

/** Moves one buffer to another position in the order. */
function vary(order: readonly number[], random: () => number): number[] {
  const varied = [...order];
  const [moved] = varied.splice(Math.floor(random() * varied.length), 1);
  varied.splice(Math.floor(random() * (varied.length + 1)), 0, moved!);
  return varied;
}

/** Greedy: each buffer goes where the span of all placed buffers stays smallest, lowest address first. */
function placeInOrder({ sizes, conflicts }: PlacementProblem, order: readonly number[]): Placement {
  const bases: (number | undefined)[] = new Array(sizes.length).fill(undefined);
  let low = 0;
  let high = 0;
  for (const buffer of order) {
    const blocked = blockedIntervals(conflicts[buffer]!, bases);
    let base = low;
    let least = Number.POSITIVE_INFINITY;
    for (const candidate of candidates(blocked, low)) {
      const span = Math.max(high, candidate + sizes[buffer]!) - Math.min(low, candidate);
      if (span < least) [least, base] = [span, candidate];
    }
    bases[buffer] = base;
    low = Math.min(low, base);
    high = Math.max(high, base + sizes[buffer]!);
  }
  return { addresses: bases.map((base) => base! - low), bytes: alignUp(high - low) };
}

/** Addresses that the placed buffers forbid, as merged open intervals. */
function blockedIntervals(
  conflicts: readonly Conflict[],
  bases: readonly (number | undefined)[],
): Interval[] {
  const blocked: Interval[] = [];
  for (const { other, forbidden } of conflicts) {
    const base = bases[other];
    if (base === undefined) continue;
    // forbidden holds base(other) - base(this).
    for (const { low, high } of forbidden) blocked.push({ low: base - high, high: base - low });
  }
  blocked.sort((a, b) => a.low - b.low);
  const merged: { low: number; high: number }[] = [];
  for (const { low, high } of blocked) {
    const last = merged.at(-1);
    // Addresses are aligned: a gap that holds no multiple of ALIGNMENT is no gap.
    if (last !== undefined && alignUp(last.high) > alignDown(low)) last.high = Math.max(last.high, high);
    else merged.push({ low, high });
  }
  return merged;
}

/** The free addresses next to what is blocked, ascending; `low` where nothing blocks it. */
function candidates(blocked: readonly Interval[], low: number): number[] {
  const free = blocked.flatMap((interval) => [alignDown(interval.low), alignUp(interval.high)]);
  if (!blocked.some((interval) => interval.low < low && low < interval.high)) free.push(low);
  return free.sort((a, b) => a - b);
}

export function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function alignDown(bytes: number): number {
  return Math.floor(bytes / ALIGNMENT) * ALIGNMENT;
}
