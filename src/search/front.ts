/**
 * Those that no other beats, that is, is no worse in every one of `costs` and in `worth` and better in one. Of equals all
 * are kept.
 */
export function undominated<T>(
  all: readonly T[],
  costs: readonly ((each: T) => number)[],
  worth: (each: T) => number,
): T[] {
  const values = all.map((each) => [...costs.map((cost) => cost(each)), -worth(each)]);
  const beats = (a: readonly number[], b: readonly number[]): boolean =>
    a.every((value, i) => value <= b[i]!) && a.some((value, i) => value < b[i]!);
  return all.filter((_, i) => !values.some((other) => beats(other, values[i]!)));
}
