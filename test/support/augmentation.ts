import type { Augmentation } from '../../src/train/recipe.ts';

/** Items as they are. */
export const NO_AUGMENTATION: Augmentation = {
  shift: 0,
  flip: false,
  cutout: 0,
  brightness: 0,
  contrast: 0,
  sounds: { shift: 0, gain: 0, noise: 0, frames: 0, bands: 0 },
};
