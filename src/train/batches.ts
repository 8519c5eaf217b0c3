/** From a data set to batches of a network's inputs, augmented; what is drawn depends on seed, epoch and position alone. */
import { FeatureExtractor, featureReals } from '../audio/features.ts';
import { clipSamples, type FrontEnd } from '../audio/front-end.ts';
import { createRandom } from '../core/random.ts';
import type { Dataset } from '../data/dataset.ts';
import { inputsOf } from '../data/inputs.ts';
import { drawPicture, PIXELS, type Shape } from './pictures.ts';
import type { Augmentation } from './recipe.ts';
import { disturbClip, maskFeatures } from './sounds.ts';

/** Items as a network takes them, all in memory. */
export interface Items {
  readonly count: number;
  readonly shape: Shape;
  readonly labels: Int32Array;
  /** Writes item `index` as it is to `out`, in `shape`. */
  read(index: number, out: Float32Array): void;
  /** Writes item `index` in one of the ways that the augmentation allows. */
  draw(index: number, out: Float32Array, augmentation: Augmentation, random: () => number): void;
}

/** Reads all items of `dataset`. @throws RivuletError RV4006 if they do not have the network's shape */
export function readItems(dataset: Dataset, shape: Shape): Items {
  // Says what is wrong with the shape; the values are converted below, batch by batch.
  inputsOf(dataset, { shape, dtype: 'float32', scale: 1, zeroPoint: 0 });
  return dataset.frontEnd === undefined
    ? pictureItems(dataset, shape)
    : soundItems(dataset, dataset.frontEnd, shape);
}

/** Pictures as bytes, or numbers. */
function pictureItems(dataset: Dataset, shape: Shape): Items {
  const size = shape[0] * shape[1] * shape[2];
  const pixels = dataset.kind === 'pixels';
  const values = pixels ? new Uint8Array(dataset.length * size) : new Float32Array(dataset.length * size);
  for (let i = 0; i < dataset.length; ++i) values.set(dataset.item(i).values, i * size);
  const item = (index: number) => values.subarray(index * size, (index + 1) * size);
  return {
    ...common(dataset, shape),
    read(index, out) {
      const found = item(index);
      for (let i = 0; i < size; ++i) out[i] = pixels ? PIXELS[found[i]!]! : found[i]!;
    },
    draw: (index, out, augmentation, random) => drawPicture(item(index), shape, augmentation, random, out),
  };
}

/** Sounds as clips, and the features of each as the front-end makes them. */
function soundItems(dataset: Dataset, frontEnd: FrontEnd, shape: Shape): Items {
  const length = clipSamples(frontEnd);
  const [, width] = shape;
  const size = shape[0] * width;
  const extractor = new FeatureExtractor(frontEnd);
  const clips = new Int16Array(dataset.length * length);
  const features = new Float32Array(dataset.length * size);
  for (let i = 0; i < dataset.length; ++i) {
    const clip = dataset.item(i).values as Int16Array;
    clips.set(clip, i * length);
    features.set(featureReals(extractor.clip(clip)), i * size);
  }
  return {
    ...common(dataset, shape),
    read: (index, out) => out.set(features.subarray(index * size, (index + 1) * size)),
    draw(index, out, { sounds }, random) {
      const clip = clips.subarray(index * length, (index + 1) * length);
      out.set(featureReals(extractor.clip(disturbClip(clip, sounds, frontEnd.rate, random))));
      maskFeatures(out, width, sounds, random);
    },
  };
}

function common(dataset: Dataset, shape: Shape): Pick<Items, 'count' | 'shape' | 'labels'> {
  return { count: dataset.length, shape, labels: Int32Array.from(dataset.labels) };
}

/** Where the items of a batch go. */
export interface BatchPlaces {
  readonly image: Float32Array;
  readonly labels: Int32Array;
}

/** Fills batches from items. */
export class Batches {
  private readonly items: Items;
  private readonly places: BatchPlaces;

  constructor(items: Items, places: BatchPlaces) {
    this.items = items;
    this.places = places;
  }

  /**
   * Items `order[first]` to the end of the batch, or of the order; what is behind the end of the order has no class.
   * @param augmentation default: none
   * @param seed what augmentation draws from, together with the position of the item in the data set
   * @returns how many items there are
   */
  fill(order: Uint32Array, first: number, augmentation?: Augmentation, seed = 0): number {
    const { image, labels } = this.places;
    const size = image.length / labels.length;
    const count = Math.min(labels.length, order.length - first);
    labels.fill(-1, count);
    for (let i = 0; i < count; ++i) {
      const item = order[first + i]!;
      const out = image.subarray(i * size, (i + 1) * size);
      labels[i] = this.items.labels[item]!;
      if (augmentation === undefined) this.items.read(item, out);
      else {
        this.items.draw(item, out, augmentation, createRandom(Math.imul(seed, 0x9e3779b1) + item));
      }
    }
    return count;
  }
}
