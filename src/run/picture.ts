/** Pictures as network inputs. */
import { fail } from '../core/diagnostics.ts';
import { rangeOf, scaleOf, zeroPointOf } from '../ops/quantization.ts';
import type { Port } from '../program/types.ts';

/**
 * How a pixel becomes a number: real = (pixel - mean) * scale, pixel from 0 to 255; one value for all channels or one
 * for each. Without them the pixels fill the range of the input: pixel p becomes the raw value p - 128 of an int8 input
 * and p of a uint8 input, which suits networks trained on [0, 1], [-1, 1] or [0, 255] alike; of a float input, p / 255.
 */
export interface PictureOptions {
  readonly mean?: readonly number[];
  readonly scale?: readonly number[];
}

/**
 * Decodes a PNG or JPEG picture, turns it upright, and stretches it to the input's height and width. Transparent parts
 * become black; a grey input gets the luminance.
 * @returns the real value of each element of the input, [height, width, channels]
 * @throws RivuletError RV3002 (an input that is no picture, or options that do not fit), RV1006 (not a picture), RV3004
 */
export async function readPicture(
  bytes: Uint8Array,
  port: Port,
  { mean, scale }: PictureOptions,
  origin: string,
): Promise<Float64Array> {
  const [height, width, channels] = requirePictureShape(port, origin);
  const standard = defaultsFor(port);
  const means = perChannel('--mean', mean, standard.mean, channels);
  const scales = perChannel('--scale', scale, standard.scale, channels);
  const { pixels } = await decodePicture(bytes, channels, origin, [height, width]);
  return Float64Array.from(pixels, (p, i) => (p - means[i % channels]!) * scales[i % channels]!);
}

function requirePictureShape({ shape, name }: Port, origin: string): [number, number, number] {
  const [channels = 0, width = 0, height = 0, ...outer] = [...shape].reverse();
  if (height > 0 && outer.every((size) => size === 1) && (channels === 1 || channels === 3)) {
    return [height, width, channels];
  }
  return fail('RV3002', `a picture cannot fill the input "${name}" of shape [${shape.join(', ')}]`, {
    origin,
    hint: 'a picture fills [1, height, width, 1 or 3]; give this input as .bin or .npy',
  });
}

function defaultsFor(port: Port): { mean: number; scale: number } {
  if ((port.dtype !== 'int8' && port.dtype !== 'uint8') || port.quantization === undefined) {
    return { mean: 0, scale: 1 / 255 };
  }
  return { mean: zeroPointOf(port) - rangeOf(port.dtype)[0], scale: scaleOf(port) };
}

function perChannel(
  option: string,
  given: readonly number[] | undefined,
  standard: number,
  channels: number,
): number[] {
  const values = given ?? [standard];
  if (values.length !== 1 && values.length !== channels) {
    fail('RV3002', `${values.length} values for ${channels} channels`, {
      origin: option,
      hint: `give one value, or ${channels} with commas between them`,
    });
  }
  return Array.from({ length: channels }, (_, c) => values[c % values.length]!);
}

/** [height, width, channels], 0 to 255. */
export interface Picture {
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/**
 * Decodes a PNG or JPEG picture and turns it upright. Transparent parts become black.
 * @param channels 3: RGB, 1: the luminance
 * @param size height and width it is stretched to; without it, it keeps its own
 * @throws RivuletError RV1006 (not a picture), RV3004
 */
export async function decodePicture(
  bytes: Uint8Array,
  channels: number,
  origin: string,
  size?: readonly [number, number],
): Promise<Picture> {
  const { default: sharp } = await import('sharp').catch((error: Error) =>
    fail('RV3004', `pictures cannot be read here: ${error.message.split('\n')[0]}`, {
      origin,
      hint: 'the package sharp has no build for this computer; give the input as .npy or .bin',
    }),
  );
  try {
    const upright = sharp(bytes).autoOrient();
    const sized = size === undefined ? upright : upright.resize(size[1], size[0], { fit: 'fill' });
    const { data, info } = await sized
      .flatten()
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { pixels: data, height: info.height, width: info.width };
  } catch (error) {
    return fail('RV1006', `it cannot be read as a picture: ${(error as Error).message}`, { origin });
  }
}
