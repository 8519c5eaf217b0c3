/**
 * Which distances between two buffers are forbidden. Two cells that are live in the same firing may not share a byte:
 * with D = base(b) - base(a) this forbids the open interval (a.start - b.end, a.end - b.start). The union over all
 * pairs of cells is exact; everything else (in-place operators, overlapping input and output, MCUNet's in-place
 * depthwise) follows from it.
 */
import type { Cell } from './liveness.ts';

/** An open interval of forbidden distances. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Forbidden values of base(b) - base(a), merged and ascending; empty when the buffers never meet. */
export function forbiddenDistances(a: readonly Cell[], b: readonly Cell[]): Interval[] {
  const intervals: Interval[] = [];
  for (const cellA of a) {
    // Cells of b in order: those next to each other usually forbid one contiguous interval.
    let low = 0;
    let high = 0;
    let open = false;
    for (const cellB of b) {
      if (cellA.birth > cellB.death || cellB.birth > cellA.death) continue;
      const exempt = inPlaceDistance(cellA, cellB);
      const same = cellA.start - cellB.start;
      if (exempt === 'exactly') intervals.push({ low: cellA.start - cellB.end, high: same });
      const from = exempt === 'exactly' || exempt === 'b over a' ? same : cellA.start - cellB.end;
      const to = exempt === 'a over b' ? same : cellA.end - cellB.start;
      if (open && to > low && from < high) {
        low = Math.min(low, from);
        high = Math.max(high, to);
      } else {
        if (open) intervals.push({ low, high });
        [low, high, open] = [from, to, true];
      }
    }
    if (open) intervals.push({ low, high });
  }
  return merge(intervals);
}

/**
 * In place: the cell that dies is read by the kernel before the cell that is born overwrites the same or a lower
 * address, so only distances that put the new cell higher inside the old one remain forbidden; or all but the one that
 * puts it exactly there.
 */
function inPlaceDistance(a: Cell, b: Cell): 'b over a' | 'a over b' | 'exactly' | null {
  if (a.end - a.start !== b.end - b.start) return null;
  for (const [old, born] of [
    [a, b],
    [b, a],
  ] as const) {
    if (old.diesInPlace === 'no' || !born.bornAsRow || old.death !== born.birth) continue;
    if (old.diesInPlace === 'exactly') return 'exactly';
    return old === a ? 'b over a' : 'a over b';
  }
  return null;
}

/** Union of open intervals; neighbours that share only an endpoint stay apart, for that distance is allowed. */
function merge(intervals: Interval[]): Interval[] {
  intervals.sort((x, y) => x.low - y.low || x.high - y.high);
  const merged: Interval[] = [];
  for (const interval of intervals) {
    if (interval.low >= interval.high) continue;
    const last = merged.at(-1);
    if (last !== undefined && interval.low < last.high) {
      if (interval.high > last.high) merged[merged.length - 1] = { low: last.low, high: interval.high };
    } else {
      merged.push(interval);
    }
  }
  return merged;
}
