/** How a network is trained, as data. */
import { type JsonObject, parseJsonObject } from '../formats/json.ts';

/** In how many ways an item is shown. */
export interface Augmentation {
  /** Pictures move by up to so many pixels in each direction; what comes in is grey, 0 to the network. */
  readonly shift: number;
  /** Half of the pictures are mirrored, left to right. */
  readonly flip: boolean;
  /** Side of a square that is cut out of each picture, anywhere; 0: none (DeVries and Taylor, 2017). */
  readonly cutout: number;
  /** So much is added to pixels at most, or taken from them; black is -1, white 1. */
  readonly brightness: number;
  /** Pixels are multiplied by 1 - contrast to 1 + contrast: grey stays. */
  readonly contrast: number;
  readonly sounds: SoundAugmentation;
}

/** What becomes of sounds instead. Shift, gain and noise are those of samples; the front-end hears what comes of them. */
export interface SoundAugmentation {
  /** Milliseconds by which a sound begins earlier or later at most; what comes in is silence. */
  readonly shift: number;
  /** Decibels by which it is louder or softer at most. */
  readonly gain: number;
  /** Highest root mean square of white noise, as a share of full scale. */
  readonly noise: number;
  /** Most frames, and most bands or coefficients, that are hidden at a stretch. */
  readonly frames: number;
  readonly bands: number;
}

export interface Recipe {
  readonly epochs: number;
  readonly batch: number;
  /** Highest learning rate of SGD by Nesterov. It rises along a line, then falls to 0 along a cosine, step by step. */
  readonly rate: number;
  /** Epochs, also parts of one, in which the rate rises. */
  readonly warmUp: number;
  readonly momentum: number;
  /** Of weights; biases and the parameters of batch normalisation do not decay. */
  readonly decay: number;
  /** Of the labels (Szegedy and others, 2016). */
  readonly smoothing: number;
  readonly augmentation: Augmentation;
  /** The result is an average of the parameters over time, of which each step leaves this share; 0: the last parameters. */
  readonly average: number;
  /** Batches over which batch normalisation's moments are taken at the end; 0: the running averages stay. */
  readonly recalibration: number;
  /** Share of the items for training that is kept away from it, to choose recipes by. */
  readonly heldOut: number;
  readonly seed: number;
}

export const DEFAULT_RECIPE: Recipe = {
  epochs: 30,
  batch: 64,
  rate: 0.1,
  warmUp: 1,
  momentum: 0.9,
  decay: 3e-4,
  smoothing: 0.05,
  augmentation: {
    shift: 4,
    flip: true,
    cutout: 0,
    brightness: 0,
    contrast: 0,
    sounds: { shift: 100, gain: 6, noise: 0.002, frames: 6, bands: 4 },
  },
  average: 0.999,
  recalibration: 64,
  heldOut: 0,
  seed: 1,
};

const MAX_BYTES = 1 << 16;
const DIALECT = { code: 'RV5001', maxBytes: MAX_BYTES } as const;

/**
 * Reads a recipe; fields that are missing are those of `DEFAULT_RECIPE`.
 * @param origin the file, for diagnostics
 * @throws RivuletError RV5001
 */
export function parseRecipe(bytes: Uint8Array, origin: string): Recipe {
  const json = parseJsonObject(bytes, DIALECT, origin);
  const augmentation = json.has('augmentation') ? json.object('augmentation') : undefined;
  requireKnown(json, DEFAULT_RECIPE);
  if (augmentation !== undefined) requireKnown(augmentation, DEFAULT_RECIPE.augmentation);
  const whole = (key: keyof Recipe & string, lowest: number): number =>
    json.has(key) ? json.integer(key, lowest, 1e9) : (DEFAULT_RECIPE[key] as number);
  const real = (key: keyof Recipe & string, is: (x: number) => boolean): number => {
    if (!json.has(key)) return DEFAULT_RECIPE[key] as number;
    const value = json.number(key);
    return is(value) ? value : json.refuse(key, `${value} is not possible`);
  };
  const isShare = (x: number) => x >= 0 && x < 1;
  const isPositive = (x: number) => x > 0;
  return {
    epochs: whole('epochs', 1),
    batch: whole('batch', 1),
    rate: real('rate', isPositive),
    warmUp: real('warmUp', (x) => x >= 0),
    momentum: real('momentum', isShare),
    decay: real('decay', (x) => x >= 0),
    smoothing: real('smoothing', isShare),
    augmentation: augmentation === undefined ? DEFAULT_RECIPE.augmentation : parseAugmentation(augmentation),
    average: real('average', isShare),
    recalibration: whole('recalibration', 0),
    heldOut: real('heldOut', isShare),
    seed: whole('seed', 0),
  };
}

/** A number from 0 to `most`. */
function amount<Key extends string>(json: JsonObject, standard: Record<Key, number>, key: Key, most: number) {
  if (!json.has(key)) return standard[key];
  const value = json.number(key);
  return value >= 0 && value <= most ? value : json.refuse(key, `${value} is not from 0 to ${most}`);
}

function parseAugmentation(json: JsonObject): Augmentation {
  const standard = DEFAULT_RECIPE.augmentation;
  return {
    shift: json.has('shift') ? json.integer('shift', 0, 1024) : standard.shift,
    flip: json.has('flip') ? json.boolean('flip') : standard.flip,
    cutout: json.has('cutout') ? json.integer('cutout', 0, 1024) : standard.cutout,
    brightness: amount(json, standard, 'brightness', 2),
    contrast: amount(json, standard, 'contrast', 1),
    sounds: json.has('sounds') ? parseSounds(json.object('sounds')) : standard.sounds,
  };
}

function parseSounds(json: JsonObject): SoundAugmentation {
  const standard = DEFAULT_RECIPE.augmentation.sounds;
  requireKnown(json, standard);
  return {
    shift: amount(json, standard, 'shift', 10_000),
    gain: amount(json, standard, 'gain', 60),
    noise: amount(json, standard, 'noise', 1),
    frames: json.has('frames') ? json.integer('frames', 0, 4096) : standard.frames,
    bands: json.has('bands') ? json.integer('bands', 0, 4096) : standard.bands,
  };
}

/** A field that nobody reads is a mistake of whoever wrote it. */
function requireKnown(json: JsonObject, known: object): void {
  const unknown = json.keys().find((key) => key !== 'comment' && !Object.hasOwn(known, key));
  if (unknown === undefined) return;
  json.refuse(unknown, `there is no such field; there are ${Object.keys(known).join(', ')}`);
}

/** The learning rate of a step, counted from 0 over all epochs. */
export function rateAt({ rate, warmUp, epochs }: Recipe, step: number, stepsPerEpoch: number): number {
  const rising = warmUp * stepsPerEpoch;
  if (step < rising) return (rate * (step + 1)) / (rising + 1);
  const total = epochs * stepsPerEpoch;
  return (rate * (1 + Math.cos((Math.PI * (step - rising)) / (total - rising)))) / 2;
}
