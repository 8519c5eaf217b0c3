/** Uniform numbers of [0, 1): `createRandom(seed)` of the compiler's core. */
export type Random = () => number;

/** A number of [-limit, limit). */
export function spread(random: Random, limit: number): number {
  return (2 * random() - 1) * limit;
}

/** A copy of `items` in random order (Fisher and Yates). */
export function shuffle<T>(random: Random, items: readonly T[]): T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
  }
  return shuffled;
}
