/** Least squares, plain and by choosing few conditions: how measured sizes become a small table. */

/** Coefficients c that minimise the sum of (rows . c - targets)^2; columns that never vary get what is left, or 0. */
export function leastSquares(rows: readonly (readonly number[])[], targets: readonly number[]): number[] {
  const n = rows[0]!.length;
  // A trace of a ridge keeps columns that are zero or repeat another solvable, and changes no other coefficient by a byte.
  const system = Array.from({ length: n }, (_, i) => [
    ...Array.from({ length: n }, (__, j) => sum(rows, (row) => row[i]! * row[j]!) + (i === j ? 1e-3 : 0)),
    sum(rows, (row, r) => row[i]! * targets[r]!),
  ]);
  for (let i = 0; i < n; ++i) {
    for (let j = i + 1; j < n; ++j) {
      const factor = system[j]![i]! / system[i]![i]!;
      for (let k = i; k <= n; ++k) system[j]![k]! -= factor * system[i]![k]!;
    }
  }
  const solution = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; --i) {
    const known = sum(solution, (c, j) => (j > i ? c * system[i]![j]! : 0));
    solution[i] = (system[i]![n]! - known) / system[i]![i]!;
  }
  return solution;
}

/** A condition is kept only if it explains this share of what is left unexplained, and few are kept. */
const WORTHWHILE = 0.2;
const MOST_TERMS = 3;
/** A condition must hold, and fail to hold, in so many measurements to be believed. */
const EVIDENCE = 6;

export interface Conditional {
  readonly bytes: number;
  readonly terms: Readonly<Record<string, number>>;
}

/**
 * Sizes as a base and additions for few of the conditions, chosen one at a time by what each explains.
 * @param truth whether a condition holds for measurement i
 */
export function fitConditions(
  sizes: readonly number[],
  conditions: readonly string[],
  truth: (condition: string, i: number) => boolean,
): Conditional {
  const columns = new Map(
    conditions
      .map((condition) => [condition, sizes.map((_, i) => Number(truth(condition, i)))] as const)
      .filter(([, column]) => {
        const held = sum(column, (x) => x);
        return held >= EVIDENCE && sizes.length - held >= EVIDENCE;
      }),
  );
  const solve = (chosen: readonly string[]) => {
    const rows = sizes.map((_, i) => [1, ...chosen.map((condition) => columns.get(condition)![i]!)]);
    const coefficients = leastSquares(rows, sizes);
    const error = sum(rows, (row, i) => (sizes[i]! - sum(row, (x, j) => x * coefficients[j]!)) ** 2);
    return { chosen, coefficients, error };
  };
  let best = solve([]);
  while (best.chosen.length < MOST_TERMS) {
    const candidates = [...columns.keys()].filter((condition) => !best.chosen.includes(condition));
    const tried = candidates.map((condition) => solve([...best.chosen, condition]));
    const next = tried.reduce((a, b) => (b.error < a.error ? b : a), best);
    if (next.error > (1 - WORTHWHILE) * best.error) break;
    best = next;
  }
  const [bytes, ...terms] = best.coefficients.map(Math.round);
  return {
    bytes: bytes!,
    terms: Object.fromEntries(best.chosen.map((condition, i) => [condition, terms[i]!])),
  };
}

function sum<T>(items: readonly T[], value: (item: T, index: number) => number): number {
  return items.reduce((total, item, i) => total + value(item, i), 0);
}
