/** Sounds, and their features, in one of the ways that a recipe allows. */
import { clamp } from '../core/fixedpoint.ts';
import type { SoundAugmentation } from './recipe.ts';

/**
 * A clip as it could have been heard: earlier or later, louder or softer, through noise.
 * @param rate samples a second
 */
export function disturbClip(
  clip: Int16Array,
  { shift, gain, noise }: SoundAugmentation,
  rate: number,
  random: () => number,
): Int16Array {
  const furthest = Math.round((shift / 1000) * rate);
  const later = Math.floor(random() * (2 * furthest + 1)) - furthest;
  const factor = 10 ** ((gain * (2 * random() - 1)) / 20);
  // Numbers spread evenly over a range have a root mean square of the range divided by the root of 12.
  const range = Math.sqrt(12) * 32768 * noise * random();
  const disturbed = new Int16Array(clip.length);
  for (let i = 0; i < clip.length; ++i) {
    const from = i - later;
    const heard = from >= 0 && from < clip.length ? factor * clip[from]! : 0;
    disturbed[i] = clamp(Math.round(heard + range * (random() - 0.5)), -32768, 32767);
  }
  return disturbed;
}

/**
 * Puts the mean of all features in place of some frames and of some bands: the masks of SpecAugment (Park and others, 2019), one each.
 * @param features [frames, width], in place
 */
export function maskFeatures(
  features: Float32Array,
  width: number,
  { frames, bands }: SoundAugmentation,
  random: () => number,
): void {
  const height = features.length / width;
  const mean = features.reduce((sum, x) => sum + x, 0) / features.length;
  const [firstFrame, endFrame] = drawSpan(height, frames, random);
  const [firstBand, endBand] = drawSpan(width, bands, random);
  features.fill(mean, firstFrame * width, endFrame * width);
  for (let frame = 0; frame < height; ++frame) {
    features.fill(mean, frame * width + firstBand, frame * width + endBand);
  }
}

/** Up to `longest` of `length` places, anywhere. */
function drawSpan(length: number, longest: number, random: () => number): [first: number, end: number] {
  const span = Math.floor(random() * (Math.min(longest, length) + 1));
  const first = Math.floor(random() * (length - span + 1));
  return [first, first + span];
}
