/** Closed intervals of integers: what a quantity can be for any input of the network. */
import { INT32_MAX, INT32_MIN, type Multiplier, requantize } from '../core/fixedpoint.ts';

/** All integers from lo to hi, lo <= hi. */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

/** One interval an index of a tensor's last axis, over all other indices. */
export type Channels = readonly Interval[];

export function isPoint({ lo, hi }: Interval): boolean {
  return lo === hi;
}

/** The smallest interval that holds all of `intervals`, which are not none. */
export function hull(intervals: readonly Interval[]): Interval {
  let { lo, hi } = intervals[0]!;
  for (const interval of intervals) {
    lo = Math.min(lo, interval.lo);
    hi = Math.max(hi, interval.hi);
  }
  return { lo, hi };
}

export function including(interval: Interval, value: number): Interval {
  return { lo: Math.min(interval.lo, value), hi: Math.max(interval.hi, value) };
}

/** The image of `interval` under clamp(., lowest, highest). */
export function clamped({ lo, hi }: Interval, [lowest, highest]: readonly [number, number]): Interval {
  return {
    lo: Math.min(Math.max(lo, lowest), highest),
    hi: Math.min(Math.max(hi, lowest), highest),
  };
}

/** The largest magnitude in any of `intervals`. */
export function magnitude(intervals: readonly Interval[]): number {
  return intervals.reduce((most, { lo, hi }) => Math.max(most, -lo, hi), 0);
}

/** Whether an int32 holds every value, so that nothing wraps. */
export function fitsInt32({ lo, hi }: Interval): boolean {
  return lo >= INT32_MIN && hi <= INT32_MAX;
}

/**
 * The image of `interval` under clamp(MBQM(., m) + zeroPoint, bounds) for m >= 0: both roundings are monotone, so its ends
 * are the images of the ends. Where the interval, or what its left shift makes of it, leaves int32, the arithmetic wraps
 * and the result is only known to lie within the bounds.
 */
export function requantized(
  interval: Interval,
  m: Multiplier,
  zeroPoint: number,
  bounds: readonly [number, number],
): Interval {
  const shift = 2 ** Math.max(0, m.shift);
  if (!fitsInt32({ lo: interval.lo * shift, hi: interval.hi * shift })) {
    return { lo: bounds[0], hi: bounds[1] };
  }
  const lo = requantize(interval.lo, m) + zeroPoint;
  return clamped({ lo, hi: isPoint(interval) ? lo : requantize(interval.hi, m) + zeroPoint }, bounds);
}

/**
 * Intervals by the last axis of a tensor with `count` indices there, for the same elements under a last axis of
 * `newCount`: index i of one and j of the other meet only where both are congruent.
 */
export function regrouped(channels: Channels, newCount: number): Channels {
  const count = channels.length;
  if (newCount % count === 0) return Array.from({ length: newCount }, (_, j) => channels[j % count]!);
  if (count % newCount !== 0) return new Array<Interval>(newCount).fill(hull(channels));
  return Array.from({ length: newCount }, (_, j) => hull(channels.filter((_, i) => i % newCount === j)));
}
