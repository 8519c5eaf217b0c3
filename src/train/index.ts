/** Training float32 networks by recipes. Needs Node. */
export { type Items, readItems } from './batches.ts';
export { type Block, type NetworkDescription, networkOf } from './blocks.ts';
export { parseDescription } from './description.ts';
export { type Evaluation, evaluate, recalibrate, type States, type Trainable } from './evaluation.ts';
export { inferenceGraph } from './inference.ts';
export { DEFAULT_RECIPE, parseRecipe, type Recipe } from './recipe.ts';
export { sizeOf } from './size.ts';
export { readStates } from './trained.ts';
export { type Trained, type TrainOptions, train } from './trainer.ts';
