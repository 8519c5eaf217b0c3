/** A schedule as the firmware runs it: calls on their own, and groups of calls that take turns. */
import type { Call, Run } from './types.ts';

/** Consecutive runs after which every call that has begun is complete. A single run: a call on its own. */
export interface Segment {
  readonly runs: readonly Run[];
  /** The calls of the segment, by index. */
  readonly calls: readonly number[];
}

export function segmentsOf(calls: readonly Call[], schedule: readonly Run[]): Segment[] {
  const segments: Segment[] = [];
  const fired = new Map<number, number>();
  let runs: Run[] = [];
  let open = 0;
  for (const run of schedule) {
    const before = fired.get(run.call) ?? 0;
    if (before === 0) ++open;
    fired.set(run.call, before + run.count);
    if (before + run.count === calls[run.call]!.firings) --open;
    runs.push(run);
    if (open > 0) continue;
    segments.push({ runs, calls: [...new Set(runs.map(({ call }) => call))].sort((a, b) => a - b) });
    runs = [];
  }
  return segments;
}

export function isStream(segment: Segment): boolean {
  return segment.runs.length > 1;
}
