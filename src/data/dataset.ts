/** Labelled items for learning and search, wherever they come from. */
import type { FrontEnd } from '../audio/front-end.ts';
import { type Diagnostic, fail, warningDiagnostic } from '../core/diagnostics.ts';

export interface Item {
  /** Row-major in the shape of the data set: pixels from 0 to 255 as bytes, or real numbers. Of sounds the samples. */
  readonly values: Uint8Array | Float32Array | Int16Array;
  /** Index into the classes. */
  readonly label: number;
}

export interface Dataset {
  /** Names, by label. */
  readonly classes: readonly string[];
  /** Of every item: [height, width, channels] of pictures, [features] of tables, [frames, values of a frame] of sounds. */
  readonly shape: readonly number[];
  /**
   * pixels: bytes whose meaning `inputsOf` is told; reals: numbers that a model takes as they are; sounds: samples, of which
   * `frontEnd` makes what a model takes.
   */
  readonly kind: 'pixels' | 'reals' | 'sounds';
  /** Of sounds, and of nothing else. */
  readonly frontEnd?: FrontEnd;
  readonly length: number;
  /** Of all items, to look at without reading them. */
  readonly labels: Int32Array;
  /** @throws RangeError for an index outside the data set */
  item(index: number): Item;
}

/** What a file or folder holds. */
export interface DataSource {
  /** Everything, where the data itself makes no difference: see `split`. */
  readonly train: Dataset;
  readonly test: Dataset | undefined;
  /** What was left out, and what looks odd. Callers show it. */
  readonly warnings: readonly Diagnostic[];
  /** Lets go of open files; items cannot be read afterwards. */
  close(): void;
}

/** Items that lie in memory one behind the other. */
export interface Block {
  readonly kind: 'pixels' | 'reals';
  readonly shape: readonly number[];
  readonly values: Uint8Array | Float32Array;
  readonly labels: Int32Array;
}

/** More classes than anybody tells apart; a hostile label must not become an array of its size. */
const MAX_CLASSES = 1 << 16;

/** A data set over a block; nothing is copied. */
export function datasetOf({ kind, shape, values, labels }: Block, classes: readonly string[]): Dataset {
  const size = shape.reduce((product, n) => product * n, 1);
  const item = (index: number): Item => {
    requireIndex(index, labels.length);
    return { values: values.subarray(index * size, (index + 1) * size), label: labels[index]! };
  };
  return { classes, shape, kind, length: labels.length, labels, item };
}

export function requireIndex(index: number, length: number): void {
  if (!(Number.isInteger(index) && index >= 0 && index < length)) {
    throw new RangeError(`item ${index} of ${length}`);
  }
}

/**
 * A source over blocks whose labels are numbers: the classes are 0 to the largest label of the training items.
 * @param origins the places of the labels, for diagnostics
 * @throws RivuletError RV4003, RV4004, RV4005
 */
export function sourceOfBlocks(
  train: Block,
  test: Block | undefined,
  origins: { readonly train: string; readonly test: string },
): DataSource {
  const count = train.labels.reduce((most, label) => Math.max(most, label), -1) + 1;
  if (count > MAX_CLASSES) {
    fail('RV4004', `the label ${count - 1} is not one of at most ${MAX_CLASSES} classes`, {
      origin: origins.train,
    });
  }
  requireLabels(train.labels, count, origins.train);
  if (test !== undefined) requireLabels(test.labels, count, origins.test);
  requireSameShape(train, test, origins.test);
  const classes = Array.from({ length: count }, (_, label) => String(label));
  return finishSource(
    datasetOf(train, classes),
    test && datasetOf(test, classes),
    origins.train,
    [],
    () => undefined,
  );
}

/** @throws RivuletError RV4003 if items for training and for testing have different shapes */
export function requireSameShape(
  train: Pick<Dataset, 'shape' | 'kind'>,
  test: Pick<Dataset, 'shape' | 'kind'> | undefined,
  origin: string,
): void {
  const [a, b] = [train, test ?? train].map(({ shape, kind }) => `${kind} [${shape.join(', ')}]`);
  if (a !== b) fail('RV4003', `items for testing are ${b}, those for training ${a}`, { origin });
}

function requireLabels(labels: Int32Array, count: number, origin: string): void {
  const wrong = labels.findIndex((label) => label < 0 || label >= count);
  if (wrong < 0) return;
  fail('RV4004', `item ${wrong} has the label ${labels[wrong]}, the classes are 0 to ${count - 1}`, {
    origin,
  });
}

/**
 * What every source comes through at last.
 * @throws RivuletError RV4005 if the training items are of fewer than two classes, RV4001 if there is no item to test
 */
export function finishSource(
  train: Dataset,
  test: Dataset | undefined,
  origin: string,
  warnings: readonly Diagnostic[],
  close: () => void,
): DataSource {
  const counts = countClasses(train);
  const present = counts.filter((count) => count > 0).length;
  if (present < 2) {
    const found = present === 0 ? 'there are no items' : 'all items are of one class';
    fail('RV4005', `${found}, nothing can be told apart`, {
      origin,
      hint: 'give at least two classes with items in each',
    });
  }
  if (test?.length === 0) fail('RV4001', 'there are no items for testing', { origin });
  const empty = train.classes.filter((_, label) => counts[label] === 0);
  const emptyWarnings =
    empty.length === 0
      ? []
      : [warningDiagnostic('RV4005', `classes without an item for training: ${few(empty)}`, { origin })];
  return { train, test, warnings: [...warnings, ...emptyWarnings], close };
}

/** Items of each class. */
export function countClasses({ classes, labels }: Pick<Dataset, 'classes' | 'labels'>): number[] {
  const counts = classes.map(() => 0);
  for (const label of labels) counts[label]! += 1;
  return counts;
}

/** Names that are shown of a longer list. */
const SHOWN = 5;

/** The first few of a list, and how many more there are. */
export function few(names: readonly string[]): string {
  const rest = names.length - SHOWN;
  return [
    ...names.slice(0, SHOWN).map((name) => `"${name}"`),
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ].join(', ');
}
