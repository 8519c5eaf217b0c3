/** The part of a data set that an analysis learns from, and what it holds out. */

import { fail } from '../core/diagnostics.ts';
import type { Dataset, Item } from '../data/dataset.ts';
import { few } from '../data/dataset.ts';
import { sample, split } from '../data/split.ts';
import type { Samples } from './trial.ts';

/** Of the drawing; every analysis sees the same samples. */
const SEED = 1;

/**
 * Draws `count` samples to learn from and `heldOut` others to measure with, each with as many of every class as there are.
 * What a data set has for testing has no part in this: a scheme chosen by it would be tested with what chose it.
 * @param dataset for training
 * @param toInput raw bytes of the network's input
 * @throws RivuletError RV4005 if a class has fewer than two items: it could not be learnt and held out
 */
export function drawSamples(
  dataset: Dataset,
  count: number,
  heldOut: number,
  toInput: (values: Item['values']) => Uint8Array,
  origin: string,
): { readonly train: Samples; readonly held: Samples } {
  const scarce = dataset.classes.filter((_, label) => dataset.labels.filter((l) => l === label).length < 2);
  if (scarce.length > 0) {
    fail('RV4005', `classes with fewer than two items for training: ${few(scarce)}`, {
      origin,
      hint: 'a class needs an item to learn and one to hold out',
    });
  }
  const drawn = sample(dataset, count + heldOut, SEED);
  const { first, second } = split(drawn, heldOut / (count + heldOut), SEED);
  return { held: samplesOf(first, toInput), train: samplesOf(second, toInput) };
}

function samplesOf(part: Dataset, toInput: (values: Item['values']) => Uint8Array): Samples {
  const items = Array.from(part.labels, (_, i) => toInput(part.item(i).values).slice());
  const bytes = items[0]!.length;
  // Shared, so that worker threads do not copy it for each trial.
  const images = new Uint8Array(new SharedArrayBuffer(bytes * items.length));
  for (const [i, item] of items.entries()) images.set(item, i * bytes);
  return { images, labels: part.labels };
}
