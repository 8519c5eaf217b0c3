/**
 * The firing order of a streaming group: demand-driven. The calls nobody in the group reads are asked for one row after
 * another; each asks its producers for the rows it needs, just in time. No row is computed twice, and none is computed
 * before somebody needs it.
 */
import type { Call, Run } from '../program/types.ts';
import type { Need } from './dependencies.ts';

/** Consecutive calls [first, last] that take turns; `reverse`: every call fires its rows bottom-up. */
export interface Group {
  readonly first: number;
  readonly last: number;
  readonly reverse: boolean;
}

/**
 * Simulates a group.
 * @returns the call of each firing, in order; the k-th firing of a call is its k-th row (from the end in reverse)
 */
export function pullOrder(
  calls: readonly Call[],
  needs: readonly (readonly Need[])[],
  group: Group,
): number[] {
  return new Pull(calls, needs, group).run();
}

class Pull {
  private readonly calls: readonly Call[];
  private readonly needs: readonly (readonly Need[])[];
  private readonly group: Group;
  private readonly fired: Int32Array;
  private readonly order: number[] = [];

  constructor(calls: readonly Call[], needs: readonly (readonly Need[])[], group: Group) {
    this.calls = calls;
    this.group = group;
    this.fired = new Int32Array(calls.length);
    this.needs = needs.map((list) => list.filter((need) => need.producer >= group.first));
  }

  run(): number[] {
    const sinks = this.sinks();
    for (;;) {
      // The sink that is least far along, the last of equals: later calls free what earlier ones made.
      let next = -1;
      let least = 2;
      for (const sink of sinks) {
        const { firings } = this.calls[sink]!;
        const progress = (this.fired[sink]! + 1) / firings;
        if (this.fired[sink]! < firings && progress <= least) [next, least] = [sink, progress];
      }
      if (next < 0) break;
      this.step(next);
    }
    // Rows that nobody reads (a stride that leaves some over) are still computed: outputs must be complete.
    for (let c = this.group.first; c <= this.group.last; ++c) {
      while (this.fired[c]! < this.calls[c]!.firings) this.step(c);
    }
    return this.order;
  }

  private sinks(): number[] {
    const read = new Set<number>();
    for (let c = this.group.first; c <= this.group.last; ++c) {
      for (const { producer } of this.needs[c]!) read.add(producer);
    }
    const sinks: number[] = [];
    for (let c = this.group.first; c <= this.group.last; ++c) if (!read.has(c)) sinks.push(c);
    return sinks;
  }

  /** Fires a call once, after everything that firing needs. */
  private step(call: number): void {
    const { reverse } = this.group;
    const k = this.fired[call]!;
    const y = reverse ? this.calls[call]!.firings - 1 - k : k;
    for (const { producer, first, last } of this.needs[call]!) {
      if (last[y]! < 0) continue;
      const wanted = reverse ? this.calls[producer]!.firings - first[y]! : last[y]! + 1;
      while (this.fired[producer]! < wanted) this.step(producer);
    }
    this.fired[call] = k + 1;
    this.order.push(call);
  }
}

/** The firings of a group as runs: neighbours of the same call are joined. */
export function runsOf(calls: readonly Call[], group: Group, order: readonly number[]): Run[] {
  const fired = new Map<number, number>();
  const runs: Run[] = [];
  const step = group.reverse ? -1 : 1;
  for (const call of order) {
    const k = fired.get(call) ?? 0;
    fired.set(call, k + 1);
    const last = runs.at(-1);
    if (last?.call === call) runs[runs.length - 1] = { ...last, count: last.count + 1 };
    else runs.push({ call, first: group.reverse ? calls[call]!.firings - 1 - k : k, count: 1, step });
  }
  return runs;
}
