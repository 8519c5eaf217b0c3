/** A network without trained weights as a quantised graph: what compiling it would cost. */
import { writeTflite } from '../formats/tflite/writer.ts';
import { importTflite } from '../import/tflite.ts';
import type { Graph } from '../ir/types.ts';
import { placeholders } from '../zoo/calibrate.ts';
import { modelOf } from '../zoo/model.ts';
import type { Architecture } from '../zoo/networks.ts';

/** The .tflite file of a network with seeded placeholders for weights: `compile` reads it. */
export function modelBytesOf(architecture: Architecture, { seed = 1 } = {}): Uint8Array {
  return writeTflite(modelOf('placeholder weights', architecture, placeholders(architecture, seed)));
}

/**
 * The graph of a network, int8, as imported: [1, r, r, channels] in, logits [1, classes] out. No pass finds anything in
 * the placeholders that trained weights would not have, so SRAM and flash are those of the trained network, unless
 * training leaves channels constant.
 */
export function graphOf(architecture: Architecture, options: { seed?: number } = {}): Graph {
  return importTflite(modelBytesOf(architecture, options), 'network').graph;
}
