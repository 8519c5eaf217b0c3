/** From the values of an item to the raw input of a model. */
import { FeatureExtractor, featureReals, quantizeFeature } from '../audio/features.ts';
import type { FrontEnd } from '../audio/front-end.ts';
import { quantizationOf } from '../audio/tables.ts';
import { fail } from '../core/diagnostics.ts';
import { clamp, roundHalfAway } from '../core/fixedpoint.ts';
import type { Dataset, Item } from './dataset.ts';

/** What a model takes. */
export interface ModelInput {
  readonly shape: readonly number[];
  readonly dtype: 'int8' | 'uint8' | 'float32';
  /** real = scale * (q - zeroPoint); of float32 inputs neither is looked at. */
  readonly scale: number;
  readonly zeroPoint: number;
}

/** real = (pixel - mean) * scale, pixel from 0 to 255. */
export interface Normalisation {
  readonly mean: number;
  readonly scale: number;
}

/** pixel / 127.5 - 1 */
export const SYMMETRIC: Normalisation = { mean: 127.5, scale: 1 / 127.5 };
/** pixel / 255 */
export const UNIT: Normalisation = { mean: 0, scale: 1 / 255 };
/** The pixel itself. */
export const RAW: Normalisation = { mean: 0, scale: 1 };

const RANGES = { int8: [-128, 127], uint8: [0, 255] } as const;

/**
 * How pixels are meant, judging by what the input can hold: the one of `SYMMETRIC`, `UNIT` and `RAW` whose black and white
 * lie at the ends of its range, within one step. Otherwise pixels fill the range, whatever that means. Of a float32 input
 * it is `SYMMETRIC`.
 */
export function normalisationFor({ dtype, scale, zeroPoint }: ModelInput): Normalisation {
  if (dtype === 'float32') return SYMMETRIC;
  const [lowest, highest] = RANGES[dtype];
  const fits = ({ mean, scale: s }: Normalisation): boolean =>
    Math.abs((-mean * s) / scale + zeroPoint - lowest) <= 1 &&
    Math.abs(((255 - mean) * s) / scale + zeroPoint - highest) <= 1;
  return [SYMMETRIC, UNIT, RAW].find(fits) ?? { mean: zeroPoint - lowest, scale };
}

/** Parts of a step within which a number counts as halfway between two. */
const TIE = 1 / 1024;

/**
 * clamp(round(real / scale) + zeroPoint), halves away from zero. A scale of 1 / 127.5 is rounded to float32, and every
 * pixel of `SYMMETRIC` lies on a tie: which way it goes must not depend on the last bit, so what is next to a tie is one.
 */
export function quantizeReal(
  real: number,
  { dtype, scale, zeroPoint }: ModelInput & { readonly dtype: 'int8' | 'uint8' },
): number {
  const steps = real / scale;
  const tie = Math.floor(steps) + 0.5;
  const rounded = roundHalfAway(Math.abs(steps - tie) < TIE ? tie : steps);
  const [lowest, highest] = RANGES[dtype];
  return clamp(rounded + zeroPoint, lowest, highest);
}

/**
 * The function that turns items of a data set into inputs of a model: raw values of its type, row-major. Sounds become, for
 * an int8 input, what the firmware's front-end makes of them, bit for bit.
 * @throws RivuletError RV4006 if their shapes differ (dimensions of size 1 do not count), or if sounds do not suit the scale
 */
export function inputsOf(
  { shape, kind, frontEnd }: Pick<Dataset, 'shape' | 'kind' | 'frontEnd'>,
  input: ModelInput,
  normalisation: Normalisation = normalisationFor(input),
): (values: Item['values']) => Int8Array | Uint8Array | Float32Array {
  const sizes = (dims: readonly number[]) => dims.filter((size) => size !== 1).join(', ');
  if (sizes(shape) !== sizes(input.shape)) {
    fail('RV4006', `items of [${shape.join(', ')}] for an input of [${input.shape.join(', ')}]`, {
      hint: 'pictures can be stretched to the size of the input; their channels must be as many',
    });
  }
  if (frontEnd !== undefined) return soundInputs(frontEnd, input);
  const { mean, scale } = normalisation;
  const { dtype } = input;
  const raw =
    dtype === 'float32' ? (real: number) => real : (real: number) => quantizeReal(real, { ...input, dtype });
  const allocate = (length: number) => new ARRAYS[dtype](length);
  if (kind === 'reals') return (values) => fill(allocate(values.length), (i) => raw(values[i]!));
  const table = fill(allocate(256), (pixel) => raw((pixel - mean) * scale));
  return (values) => {
    // Whole data sets come through here.
    const out = allocate(values.length);
    for (let i = 0; i < out.length; ++i) out[i] = table[values[i]!]!;
    return out;
  };
}

/** From clips to inputs. */
function soundInputs(
  frontEnd: FrontEnd,
  input: ModelInput,
): (clip: Item['values']) => Int8Array | Uint8Array | Float32Array {
  const extractor = new FeatureExtractor(frontEnd);
  const { dtype, scale, zeroPoint } = input;
  if (dtype === 'float32') return (clip) => featureReals(extractor.clip(clip as Int16Array));
  const quantization = quantizationOf(scale, zeroPoint);
  if (dtype !== 'int8' || quantization === undefined) {
    return fail(
      'RV4006',
      `sounds become natural logarithms, which ${dtype} in steps of ${scale} does not suit`,
      {
        hint: 'a front-end fills inputs of int8 or float32',
      },
    );
  }
  return (clip) => {
    const features = extractor.clip(clip as Int16Array);
    return fill(new Int8Array(features.length), (i) => quantizeFeature(features[i]!, quantization));
  };
}

const ARRAYS = { int8: Int8Array, uint8: Uint8Array, float32: Float32Array } as const;

function fill<T extends Int8Array | Uint8Array | Float32Array>(
  out: T,
  valueAt: (index: number) => number,
): T {
  for (let i = 0; i < out.length; ++i) out[i] = valueAt(i);
  return out;
}
