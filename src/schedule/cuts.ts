/**
 * Where streaming groups begin and end. Calls stay in program order; a cut is a place where everything before is
 * finished. For every interval of calls the pull order gives the most bytes live; dynamic programming over prefixes finds
 * the cuts with the smallest maximum. This is exact for the live bytes of pull order; placement comes after it.
 */
import { inferenceCalls, type Program } from '../program/types.ts';
import { dependencies, type Need } from './dependencies.ts';
import { LiveRows } from './live-rows.ts';
import { type Group, pullOrder } from './pull.ts';

/**
 * Longest group that is tried: the work grows with its square, and no real network gains from longer ones. The firmware
 * names the layers of a group by a byte.
 */
export const MAX_CALLS = 80;

export class CutSearch {
  readonly needs: readonly (readonly Need[])[];
  private readonly program: Program;
  private readonly live: LiveRows;
  private readonly costs = new Map<number, number>();
  /** Calls that may take turns; those behind them, gradients and updates, work on whole tensors. */
  private readonly count: number;

  constructor(program: Program) {
    this.program = program;
    this.needs = dependencies(program);
    this.live = new LiveRows(program);
    this.count = inferenceCalls(program);
  }

  /** The most bytes live while the calls [first, last] run as one group. */
  cost(first: number, last: number): number {
    const key = first * this.program.calls.length + last;
    const known = this.costs.get(key);
    if (known !== undefined) return known;
    const group: Group = { first, last, reverse: false };
    const cost = this.live.peak(group, pullOrder(this.program.calls, this.needs, group));
    this.costs.set(key, cost);
    return cost;
  }

  /**
   * The groups with the smallest maximum of live bytes, and among those the fewest groups; with `slack` > 1 the fewest
   * groups whose maximum is at most that factor larger.
   */
  best(slack = 1): { groups: Group[]; liveBytes: number } {
    const count = this.count;
    const least = this.leastPeaks();
    const limit = Math.floor(least[count]! * slack);
    const fewest = new Array<number>(count + 1).fill(Number.POSITIVE_INFINITY);
    const from = new Array<number>(count + 1).fill(-1);
    fewest[0] = 0;
    for (let end = 1; end <= count; ++end) {
      for (let first = Math.max(0, end - MAX_CALLS); first < end; ++first) {
        if (fewest[first]! + 1 >= fewest[end]! || this.floor(first, end) > limit) continue;
        if (this.cost(first, end - 1) > limit) continue;
        [fewest[end], from[end]] = [fewest[first]! + 1, first];
      }
    }
    const groups: Group[] = [];
    for (let end = count; end > 0; end = from[end]!) {
      groups.unshift({ first: from[end]!, last: end - 1, reverse: false });
    }
    for (let call = count; call < this.program.calls.length; ++call)
      groups.push({ first: call, last: call, reverse: false });
    return { groups, liveBytes: least[count]! };
  }

  /** least[n]: the smallest possible maximum of live bytes over the first n calls, finished. */
  private leastPeaks(): number[] {
    const count = this.count;
    const least = new Array<number>(count + 1).fill(Number.POSITIVE_INFINITY);
    least[0] = 0;
    for (let end = 1; end <= count; ++end) {
      const firsts = Array.from({ length: Math.min(MAX_CALLS, end) }, (_, i) => end - 1 - i);
      // Promising beginnings first, so that the bound below skips most simulations.
      firsts.sort(
        (a, b) => Math.max(least[a]!, this.floor(a, end)) - Math.max(least[b]!, this.floor(b, end)),
      );
      for (const first of firsts) {
        if (Math.max(least[first]!, this.floor(first, end)) >= least[end]!) continue;
        least[end] = Math.min(least[end]!, Math.max(least[first]!, this.cost(first, end - 1)));
      }
    }
    return least;
  }

  /** What is live at both ends of a group cannot be avoided inside it. */
  private floor(first: number, end: number): number {
    return Math.max(this.atCut(first), this.atCut(end));
  }

  private readonly cutBytes: number[] = [];

  private atCut(call: number): number {
    this.cutBytes[call] ??= this.live.atCut(call);
    return this.cutBytes[call]!;
  }
}
