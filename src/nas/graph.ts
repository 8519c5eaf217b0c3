/** Networks without trained weights as quantised graphs: what compiling them would cost. */
import { writeTflite } from '../formats/tflite/writer.ts';
import { importTflite } from '../import/tflite.ts';
import type { Graph } from '../ir/types.ts';
import { placeholders } from '../zoo/calibrate.ts';
import { inputShape, type Layer, layersOf, type Shape } from '../zoo/layers.ts';
import { modelOf } from '../zoo/model.ts';
import type { Architecture } from '../zoo/networks.ts';

/** The .tflite file of a network with seeded placeholders for weights: `compile` reads it. */
export function modelBytesOf(architecture: Architecture, { seed = 1 } = {}): Uint8Array {
  return bytesOf(layersOf(architecture), inputShape(architecture), seed);
}

/**
 * The graph of a network, int8, as imported: [1, r, r, channels] in, logits [1, classes] out. No pass finds anything in
 * the placeholders that trained weights would not have, so SRAM and flash are those of the trained network, unless
 * training leaves channels constant.
 */
export function graphOf(architecture: Architecture, { seed = 1 } = {}): Graph {
  return importTflite(modelBytesOf(architecture, { seed }), 'network').graph;
}

/** The same of layers that follow each other, reading a tensor of `shape` and `range` by the index `IMAGE`. */
export function graphOfLayers(layers: readonly Layer[], shape: Shape, range: Range): Graph {
  return importTflite(bytesOf(layers, shape, 1, range), 'piece').graph;
}

type Range = readonly [number, number];

function bytesOf(layers: readonly Layer[], shape: Shape, seed: number, range?: Range): Uint8Array {
  return writeTflite(modelOf('placeholder weights', shape, placeholders(layers, shape, seed), range));
}
