/** What the jobs of a search share, as bytes: a space, the weights of its supernet, items to judge with. */
import { asBytes } from '../core/dtype.ts';
import { shuffled } from '../data/split.ts';
import { readSafetensors } from '../formats/safetensors/reader.ts';
import { writeSafetensors } from '../formats/safetensors/writer.ts';
import type { Space } from '../nas/space.ts';
import { parseSpace } from '../nas/space-json.ts';
import { CALIBRATION_ITEMS, CALIBRATION_SEED } from '../supernet/train.ts';
import { type Items, itemsOf, pickItems } from '../train/batches.ts';

/** A mapped type of an interface: only so is it known to be JSON. */
export type Plain<T> = { readonly [K in keyof T]: T[K] };

export function spaceBlob(space: Space): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(space));
}

/** Made once of the same bytes, as long as these are there. */
export function oncePerBlob<T extends object>(make: (bytes: Uint8Array) => T): (bytes: Uint8Array) => T {
  const made = new WeakMap<Uint8Array, T>();
  return (bytes) => {
    const known = made.get(bytes) ?? make(bytes);
    made.set(bytes, known);
    return known;
  };
}

export const spaceOf = oncePerBlob((bytes): Space => parseSpace(bytes, 'the space of a job'));

/** Items as a safetensors file: values [count, height, width, channels] and labels. */
export function itemsBlob({ count, shape, values, labels }: Items): Uint8Array {
  const dtype = values instanceof Uint8Array ? 'U8' : 'F32';
  return writeSafetensors({
    tensors: new Map([
      ['values', { dtype, shape: [count, ...shape], bytes: asBytes(values) }],
      ['labels', { dtype: 'I32', shape: [count], bytes: asBytes(labels) }],
    ]),
    metadata: new Map(),
  });
}

export const itemsIn = oncePerBlob((bytes): Items => {
  const { tensors } = readSafetensors(bytes, 'the items of a job');
  const [values, labels] = [tensors.get('values')!, tensors.get('labels')!];
  const [, height = 0, width = 0, channels = 0] = values.shape;
  return itemsOf(
    [height, width, channels],
    values.dtype === 'U8' ? values.bytes : new Float32Array(Uint8Array.from(values.bytes).buffer),
    new Int32Array(Uint8Array.from(labels.bytes).buffer),
  );
});

/** The items whose moments a part is judged with: no others need to travel. */
export function calibrationItems(items: Items): Items {
  return pickItems(items, shuffled(items.count, CALIBRATION_SEED).subarray(0, CALIBRATION_ITEMS));
}
