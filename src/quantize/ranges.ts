/** From what a value was seen to be to the range that its 256 steps cover. */
import { clamp, roundHalfAway } from '../core/fixedpoint.ts';
import type { Quantization } from '../ir/types.ts';

/** What calibration saw of a value. */
export interface Observation {
  low: number;
  high: number;
  /** Counts of equal parts of [low, high]; all zero until the second round. */
  readonly histogram: Float64Array;
}

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** How the range of a value is chosen from what was seen of it. */
export type Calibration = 'min-max' | 'percentile' | 'mse';

const BINS = 1024;
/** Of all elements, how many percentile cuts off at each end. */
const CUT = 1e-4;
/** Shares of the whole range that mse tries. */
const SHARES = Array.from({ length: 24 }, (_, i) => 1 - i / 32);

export function emptyObservation(): Observation {
  return { low: 0, high: 0, histogram: new Float64Array(BINS) };
}

/** Widens the range to `values`; 0, which padding and bounds need, is always inside. */
export function observeRange(seen: Observation, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; ++i) {
    const x = values[i]!;
    if (x < seen.low) seen.low = x;
    else if (x > seen.high) seen.high = x;
  }
}

/** Counts `values`, all of which lie in the range. */
export function observeCounts({ low, high, histogram }: Observation, values: ArrayLike<number>): void {
  if (high === low) return;
  const perUnit = BINS / (high - low);
  for (let i = 0; i < values.length; ++i) {
    histogram[clamp(Math.floor((values[i]! - low) * perUnit), 0, BINS - 1)]! += 1;
  }
}

/** How each calibration chooses. */
export const CALIBRATIONS: Readonly<Record<Calibration, (seen: Observation) => Range>> = {
  'min-max': ({ low, high }) => ({ low, high }),
  percentile: cutRange,
  mse: leastError,
};

/** Without the outermost elements on each side. */
function cutRange(seen: Observation): Range {
  const total = seen.histogram.reduce((a, b) => a + b, 0);
  const reach = (order: readonly number[]): number => {
    let sum = 0;
    const inside = order.findIndex((bin) => {
      sum += seen.histogram[bin]!;
      return sum > CUT * total;
    });
    return Math.max(0, inside);
  };
  const upwards = Array.from({ length: BINS }, (_, i) => i);
  const [below, above] = [reach(upwards), reach(upwards.toReversed())];
  const width = (seen.high - seen.low) / BINS;
  return {
    low: Math.min(0, seen.low + below * width),
    high: Math.max(0, seen.high - above * width),
  };
}

/** The shares of both ends with the least expected squared error of clamping and rounding (centres of bins). */
function leastError(seen: Observation): Range {
  const width = (seen.high - seen.low) / BINS;
  const counts = [...seen.histogram];
  const errorOf = ({ low, high }: Range): number => {
    const rounding = ((high - low) / 255) ** 2 / 12;
    return counts.reduce((sum, count, bin) => {
      if (count === 0) return sum;
      const x = seen.low + (bin + 0.5) * width;
      const beyond = x < low ? low - x : x > high ? x - high : 0;
      return sum + count * (beyond === 0 ? rounding : beyond * beyond);
    }, 0);
  };
  const best = (candidates: readonly Range[]): Range =>
    candidates.reduce((a, b) => (errorOf(b) < errorOf(a) ? b : a));
  const { high } = best(SHARES.map((share) => ({ low: seen.low, high: share * seen.high })));
  return best(SHARES.map((share) => ({ low: share * seen.low, high })));
}

/** The range that holds all of `ranges`. */
export function hull(ranges: readonly Range[]): Range {
  return {
    low: Math.min(0, ...ranges.map(({ low }) => low)),
    high: Math.max(0, ...ranges.map(({ high }) => high)),
  };
}

/** int8 with 0 at a whole number: scale = (high - low) / 255, a float32 value; of a value that is always 0, 1 / 255. */
export function quantizationOf({ low, high }: Range): Quantization {
  const scale = Math.fround((high - low || 1) / 255);
  return { scales: [scale], zeroPoints: [clamp(roundHalfAway(-128 - low / scale), -128, 127)], axis: 0 };
}
