/**
 * SRAM of a chain of pieces, without placing the network: between two pieces one tensor is all that lives, so what a
 * schedule needs is the most that any piece, or any group of pieces that takes turns, needs on its own.
 */
import { ChainPeaks, type Turns } from './turns.ts';

/** How a piece takes turns, and how it does where its expansion and depthwise convolution are one operator. */
export interface Streamable {
  readonly turns: Turns;
  readonly carried: { readonly turns: Turns; readonly bytes: number } | null;
}

/** The most operators that are fused one by one; after that, all. The compiler's search tries the same sets. */
const MAX_CARRIED = 6;

/**
 * Streamed, the input pushed row by row: the most bytes live in any firing, with the best cuts between pieces, and the best
 * of the sets of carrying blocks that the compiler's search begins with, those that free most first.
 */
export function streamedBytes(pieces: readonly Streamable[]): number {
  const order = pieces
    .flatMap(({ carried }, i) => (carried === null ? [] : [{ i, bytes: carried.bytes }]))
    .sort((a, b) => b.bytes - a.bytes);
  const turns = pieces.map((piece) => piece.turns);
  let best = leastPeak(turns, Number.POSITIVE_INFINITY);
  for (const [count, { i }] of order.entries()) {
    turns[i] = pieces[i]!.carried!.turns;
    const isTried = count < MAX_CARRIED || count === order.length - 1;
    if (isTried) best = Math.min(best, leastPeak(turns, best));
  }
  return best;
}

/**
 * The least, over all ways to cut a chain into groups, of the most bytes live in any firing; infinity where that is not
 * below `limit`. Between two groups a tensor is whole.
 */
export function leastPeak(pieces: readonly Turns[], limit: number): number {
  const sizes = pieces.map(({ inputRows, inputRowBytes }) => inputRows * inputRowBytes);
  // What is pushed is never whole.
  sizes[0] = 0;
  const { outputRows, outputRowBytes } = pieces.at(-1)!;
  sizes.push(outputRows * outputRowBytes);
  const peaks = new ChainPeaks(pieces);
  const least = [0];
  for (let until = 1; until < sizes.length; ++until) {
    const floor = (first: number): number => Math.max(least[first]!, sizes[first]!, sizes[until]!);
    const firsts = Array.from({ length: until }, (_, i) => until - 1 - i).sort((a, b) => floor(a) - floor(b));
    let best = Number.POSITIVE_INFINITY;
    for (const first of firsts) {
      const bound = Math.min(best, limit);
      if (floor(first) >= bound) break;
      best = Math.min(best, Math.max(least[first]!, peaks.peak(first, until, bound)));
    }
    least.push(best);
  }
  return least.at(-1)!;
}
