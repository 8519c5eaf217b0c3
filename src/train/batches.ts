/** From a data set to batches of a network's inputs, augmented; what is drawn depends on seed, epoch and position alone. */
import { createRandom } from '../core/random.ts';
import type { Dataset } from '../data/dataset.ts';
import { inputsOf, SYMMETRIC } from '../data/inputs.ts';
import type { Augmentation } from './recipe.ts';

/** Items as a network takes them, all in memory: bytes of pictures, or numbers. */
export interface Items {
  readonly count: number;
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly values: Uint8Array | Float32Array;
  readonly labels: Int32Array;
  /** What an element is to the network. */
  real(value: number): number;
}

/** Reads all items of `dataset`. @throws RivuletError RV4006 if they do not have the network's shape */
export function readItems(dataset: Dataset, shape: Items['shape']): Items {
  // Says what is wrong with the shape; the values are converted below, batch by batch.
  inputsOf(dataset, { shape, dtype: 'float32', scale: 1, zeroPoint: 0 });
  const size = shape[0] * shape[1] * shape[2];
  const pixels = dataset.kind === 'pixels';
  const values = pixels ? new Uint8Array(dataset.length * size) : new Float32Array(dataset.length * size);
  for (let i = 0; i < dataset.length; ++i) values.set(dataset.item(i).values, i * size);
  return itemsOf(shape, values, Int32Array.from(dataset.labels));
}

/** Items that lie in memory: bytes are pixels. */
export function itemsOf(shape: Items['shape'], values: Items['values'], labels: Int32Array): Items {
  const { mean, scale } = SYMMETRIC;
  const real =
    values instanceof Uint8Array ? (value: number) => (value - mean) * scale : (value: number) => value;
  return { count: labels.length, shape, values, labels, real };
}

/** The items at these positions, in this order. */
export function pickItems({ shape, values, labels }: Items, positions: Uint32Array): Items {
  const size = shape[0] * shape[1] * shape[2];
  const picked =
    values instanceof Uint8Array
      ? new Uint8Array(positions.length * size)
      : new Float32Array(positions.length * size);
  positions.forEach((position, i) => {
    picked.set(values.subarray(position * size, (position + 1) * size), i * size);
  });
  return itemsOf(
    shape,
    picked,
    Int32Array.from(positions, (position) => labels[position]!),
  );
}

/** Where the items of a batch go. */
export interface BatchPlaces {
  readonly image: Float32Array;
  readonly labels: Int32Array;
}

const AS_IT_IS: Augmentation = { shift: 0, flip: false, cutout: 0 };

/** Fills batches from items. */
export class Batches {
  private readonly items: Items;
  private readonly places: BatchPlaces;
  private readonly table: Float32Array | undefined;

  constructor(items: Items, places: BatchPlaces) {
    this.items = items;
    this.places = places;
    if (items.values instanceof Uint8Array) {
      this.table = Float32Array.from({ length: 256 }, (_, value) => items.real(value));
    }
  }

  /**
   * Items `order[first]` to the end of the batch, or of the order; what is behind the end of the order has no class.
   * @param seed what augmentation draws from, together with the position of the item in the data set
   * @returns how many items there are
   */
  fill(order: Uint32Array, first: number, augmentation = AS_IT_IS, seed = 0): number {
    const { labels } = this.places;
    const count = Math.min(labels.length, order.length - first);
    labels.fill(-1, count);
    for (let i = 0; i < count; ++i) {
      const item = order[first + i]!;
      labels[i] = this.items.labels[item]!;
      this.draw(item, i, augmentation, createRandom(Math.imul(seed, 0x9e3779b1) + item));
    }
    return count;
  }

  private draw(
    item: number,
    place: number,
    { shift, flip, cutout }: Augmentation,
    random: () => number,
  ): void {
    const [height, width, channels] = this.items.shape;
    const { values, real } = this.items;
    const table = this.table;
    const size = height * width * channels;
    const out = this.places.image.subarray(place * size, (place + 1) * size);
    const across = Math.floor(random() * (2 * shift + 1)) - shift;
    const down = Math.floor(random() * (2 * shift + 1)) - shift;
    const mirrored = flip && random() < 0.5;
    for (let y = 0; y < height; ++y) {
      const row = out.subarray(y * width * channels, (y + 1) * width * channels);
      if (y + down < 0 || y + down >= height) {
        row.fill(0);
        continue;
      }
      const from = item * size + (y + down) * width * channels;
      for (let x = 0; x < width; ++x) {
        const column = (mirrored ? width - 1 - x : x) + across;
        const inside = column >= 0 && column < width;
        for (let c = 0; c < channels; ++c) {
          const value = values[from + column * channels + c]!;
          row[x * channels + c] = !inside ? 0 : table === undefined ? real(value) : table[value]!;
        }
      }
    }
    if (cutout > 0) cutSquare(out, this.items.shape, cutout, random);
  }
}

/** Zeros in a square whose middle lies anywhere in the picture. */
function cutSquare(
  picture: Float32Array,
  [height, width, channels]: Items['shape'],
  side: number,
  random: () => number,
): void {
  const top = Math.floor(random() * height - side / 2);
  const left = Math.floor(random() * width - side / 2);
  for (let y = Math.max(0, top); y < Math.min(height, top + side); ++y) {
    const from = Math.max(0, left);
    const to = Math.max(from, Math.min(width, left + side));
    picture.fill(0, (y * width + from) * channels, (y * width + to) * channels);
  }
}
