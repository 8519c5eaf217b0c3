/** Data sets for learning and search. Needs Node. */
export type { DataSource, Dataset, Item } from './dataset.ts';
export {
  inputsOf,
  type ModelInput,
  type Normalisation,
  normalisationFor,
  RAW,
  SYMMETRIC,
  UNIT,
} from './inputs.ts';
export { type DataOptions, openData } from './open.ts';
export { openSounds, type SoundSetOptions } from './sounds.ts';
export { sample, shuffled, split, subset } from './split.ts';
