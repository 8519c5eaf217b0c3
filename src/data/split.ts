/** Orders and parts of data sets, repeatable from a seed. */
import { createRandom } from '../core/random.ts';
import { type Dataset, requireIndex } from './dataset.ts';

/** The numbers 0 to length - 1 in an order that depends on the seed alone (Fisher and Yates). */
export function shuffled(length: number, seed: number): Uint32Array {
  const random = createRandom(seed);
  const order = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; --i) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** The items at these positions, in this order; nothing is copied. */
export function subset(dataset: Dataset, positions: ArrayLike<number>): Dataset {
  for (let i = 0; i < positions.length; ++i) requireIndex(positions[i]!, dataset.length);
  return {
    ...dataset,
    length: positions.length,
    labels: Int32Array.from(positions, (position) => dataset.labels[position]!),
    item: (index) => {
      requireIndex(index, positions.length);
      return dataset.item(positions[index]!);
    },
  };
}

/**
 * Two parts that share no item and have the same share of every class. Of a class with n items round(fraction * n) are in
 * the first part, but at least one in each where n allows it. Both keep the order of the data set.
 * @param fraction of the first part, between 0 and 1
 */
export function split(
  dataset: Dataset,
  fraction: number,
  seed: number,
): { readonly first: Dataset; readonly second: Dataset } {
  if (!(fraction > 0 && fraction < 1)) throw new RangeError(`a part of ${fraction} is none`);
  return parts(dataset, seed, (n) => Math.max(Math.min(1, n - 1), Math.min(n - 1, Math.round(fraction * n))));
}

/**
 * `count` items with as many of each class as the class has and the count leaves room for: what few samples are taken
 * with, and quick trials.
 */
export function sample(dataset: Dataset, count: number, seed: number): Dataset {
  const available = dataset.classes.map(() => 0);
  for (const label of dataset.labels) available[label]! += 1;
  const taken = available.map(() => 0);
  let left = Math.min(count, dataset.length);
  while (left > 0) {
    for (const [label, n] of available.entries()) {
      if (left === 0 || taken[label]! >= n) continue;
      taken[label]! += 1;
      left -= 1;
    }
  }
  return parts(dataset, seed, (_, label) => taken[label]!).first;
}

/** @param firstOf how many of the n items of a class go into the first part */
function parts(dataset: Dataset, seed: number, firstOf: (n: number, label: number) => number) {
  const byClass: number[][] = dataset.classes.map(() => []);
  for (const position of shuffled(dataset.length, seed)) byClass[dataset.labels[position]!]!.push(position);
  const inFirst = new Set(
    byClass.flatMap((positions, label) => positions.slice(0, firstOf(positions.length, label))),
  );
  const all = Array.from({ length: dataset.length }, (_, position) => position);
  return {
    first: subset(
      dataset,
      all.filter((position) => inFirst.has(position)),
    ),
    second: subset(
      dataset,
      all.filter((position) => !inFirst.has(position)),
    ),
  };
}
