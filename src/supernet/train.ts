/** From a search space and data to shared weights: the largest network first, then all of them. */
import { createRandom } from '../core/random.ts';
import type { Dataset } from '../data/dataset.ts';
import { shuffled } from '../data/split.ts';
import { architectureOf } from '../nas/architecture.ts';
import { type Genome, largestGenome, randomGenome } from '../nas/genome.ts';
import type { Space } from '../nas/space.ts';
import type { EngineHost } from '../run/engine/engine.ts';
import { descriptionOf } from '../train/architecture.ts';
import type { Items } from '../train/batches.ts';
import { type NetworkDescription, networkOf } from '../train/blocks.ts';
import type { EpochResult } from '../train/checkpoint.ts';
import { BATCH, type Evaluation, evaluate, recalibrate, type States } from '../train/evaluation.ts';
import type { Recipe } from '../train/recipe.ts';
import { partsOf, type RunOptions, runRecipe, train } from '../train/trainer.ts';
import { sortChannels } from './importance.ts';
import { extractPart, Supernet } from './supernet.ts';

export interface SupernetPlan {
  /** Of the largest network alone. */
  readonly largest: Recipe;
  /** Of all networks; MCUNet takes twice the epochs. What is held out is the same for both: seeds must be equal. */
  readonly shared: Recipe;
  /** Networks that each batch is shown to; MCUNet draws 4. */
  readonly networks: number;
}

export interface SupernetOptions extends Omit<RunOptions, 'checkpoint' | 'onEpoch'> {
  readonly host: EngineHost;
  /** Both stages keep their checkpoints beside each other, under this path with `.largest` and `.shared` behind it. */
  readonly checkpoint?: { readonly path: string; readonly identity: string };
  readonly onEpoch?: (stage: 'largest' | 'shared', result: EpochResult) => void;
}

export interface TrainedSupernet {
  readonly largest: NetworkDescription;
  /** Parameters of the largest network, by name. Moments are nobody's: they are taken anew for every part. */
  readonly states: States;
  readonly epochs: { readonly largest: readonly EpochResult[]; readonly shared: readonly EpochResult[] };
}

/** The network that a genome of the space shows, to be trained. */
export function networkOfGenome(space: Space, genome: Genome): NetworkDescription {
  return descriptionOf(architectureOf(space, genome), space.name);
}

/**
 * Trains the weights of all networks of a space that has one resolution.
 * @throws RangeError where the resolution is open; as `train`
 */
export async function trainSupernet(
  space: Space,
  data: Dataset,
  plan: SupernetPlan,
  options: SupernetOptions,
): Promise<TrainedSupernet> {
  if (space.resolutions.length !== 1) throw new RangeError(`${space.name} has more than one resolution`);
  const { host, checkpoint, onEpoch, ...rest } = options;
  const largest = networkOfGenome(space, largestGenome(space));
  const stage = (name: 'largest' | 'shared'): RunOptions => ({
    ...rest,
    ...(checkpoint && { checkpoint: { ...checkpoint, path: `${checkpoint.path}.${name}` } }),
    ...(onEpoch && { onEpoch: (result) => onEpoch(name, result) }),
  });
  const first = await train((how) => networkOf(largest, how), data, plan.largest, {
    ...stage('largest'),
    host,
    shape: largest.input,
  });
  const supernet = new Supernet(largest, plan.shared, host, drawer(space, plan.shared.seed, plan.networks));
  supernet.restore(sortChannels(largest, first.states));
  const { items, heldOut } = partsOf(data, plan.shared, largest.input);
  // What changes least from epoch to epoch: the two ends of the space.
  const smallest = networkOfGenome(
    space,
    randomGenome(space, () => 0),
  );
  const judge =
    heldOut &&
    ((states: States): number => {
      const accuracies = [largest, smallest].map(
        (network) => judgePart(largest, states, network, items, heldOut, host).accuracy,
      );
      return accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length;
    });
  const { states, epochs } = await runRecipe(supernet, items, plan.shared, stage('shared'), judge);
  return { largest, states, epochs: { largest: first.epochs, shared: epochs } };
}

/** The networks of a step: drawn from the space, by seed and step alone. */
function drawer(space: Space, seed: number, count: number): (step: number) => NetworkDescription[] {
  return (step) => {
    const random = createRandom(Math.imul(seed, 0x27d4eb2f) + step);
    return Array.from({ length: count }, () => networkOfGenome(space, randomGenome(space, random)));
  };
}

/** Batches for the moments of a part: 20 of 64 items in MCUNet's evaluation. */
const CALIBRATION_BATCHES = 20;
export const CALIBRATION_ITEMS = CALIBRATION_BATCHES * BATCH;
/** Of the order in which items are taken. */
export const CALIBRATION_SEED = 1;

/**
 * How good a part of trained weights is without any training of its own. Whoever asks often gives a `reusedMemory`.
 * @param calibration items that moments are taken of; labels do not matter
 */
export function judgePart(
  largest: NetworkDescription,
  states: States,
  network: NetworkDescription,
  calibration: Items,
  items: Items,
  host: EngineHost,
): Evaluation {
  const build: Parameters<typeof evaluate>[0] = (how) => networkOf(network, how);
  return evaluate(build, partStates(largest, states, network, calibration, host), items, host);
}

/** The parameters that a part has in the largest network, and moments that fit them: what fine-tuning begins with. */
export function partStates(
  largest: NetworkDescription,
  states: States,
  network: NetworkDescription,
  calibration: Items,
  host: EngineHost,
): Map<string, Float32Array> {
  const order = shuffled(calibration.count, CALIBRATION_SEED);
  const build: Parameters<typeof evaluate>[0] = (how) => networkOf(network, how);
  const parameters = extractPart(largest, states, network);
  return recalibrate(build, parameters, calibration, order, CALIBRATION_BATCHES, host);
}
