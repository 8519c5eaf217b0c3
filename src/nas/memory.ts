/**
 * SRAM of a chain of pieces, without placing the network: between two pieces one tensor is all that lives, so what a
 * schedule needs is the most that any piece, or any group of pieces that takes turns, needs on its own.
 */
import { groupPeak, type Turns } from './turns.ts';

/**
 * Streamed, the input pushed row by row: the least, over all ways to cut the chain into groups, of the most bytes live in
 * any firing. Between two groups a tensor is whole.
 */
export function streamedBytes(pieces: readonly Turns[]): number {
  const sizeAt = (cut: number): number => {
    const piece = pieces[cut]!;
    return piece.inputRows * piece.inputRowBytes;
  };
  const end = pieces.length;
  const last = pieces.at(-1)!;
  // What is pushed is never whole.
  const sizes = pieces.map((_, cut) => (cut === 0 ? 0 : sizeAt(cut)));
  sizes.push(last.outputRows * last.outputRowBytes);
  const least = [0, ...pieces.map(() => Number.POSITIVE_INFINITY)];
  for (let until = 1; until <= end; ++until) {
    const floor = (first: number): number => Math.max(least[first]!, sizes[first]!, sizes[until]!);
    const firsts = Array.from({ length: until }, (_, i) => until - 1 - i).sort((a, b) => floor(a) - floor(b));
    for (const first of firsts) {
      if (floor(first) >= least[until]!) break;
      const peak = groupPeak(pieces.slice(first, until), first === 0);
      least[until] = Math.min(least[until]!, Math.max(least[first]!, peak));
    }
  }
  return least[end]!;
}
