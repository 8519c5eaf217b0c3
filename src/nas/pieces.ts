/**
 * A network cut into pieces between which one tensor is all that lives: the first convolution, each block, the end.
 */

import { placeholderRange } from '../zoo/calibrate.ts';
import { IMAGE, inputShape, type Layer, layersOf, type Shape } from '../zoo/layers.ts';
import type { Architecture } from '../zoo/networks.ts';

/** Neighbouring layers that read nothing from before but the result of the layer in front of them, here `IMAGE`. */
export interface Piece {
  /** Equal for pieces with the same layers but for their names. */
  readonly key: string;
  readonly layers: readonly Layer[];
  readonly input: Shape;
  /** Of the input's real values. */
  readonly range: readonly [number, number];
}

export function piecesOf(architecture: Architecture): Piece[] {
  const layers = layersOf(architecture);
  const starts = layers.map(({ name }) => name.slice(0, Math.max(0, name.lastIndexOf('/'))));
  const pieces: Piece[] = [];
  for (let first = 0; first < layers.length; ) {
    let end = first + 1;
    while (end < layers.length && starts[first] !== '' && starts[end] === starts[first]) ++end;
    // The mean is a vector of a few bytes: nothing is gained by a piece of its own.
    if (layers[first]!.op === 'mean') end = layers.length;
    const before = layers[first - 1];
    const input = before === undefined ? inputShape(architecture) : before.shape;
    pieces.push(
      pieceOf(layers, first, end, input, before === undefined ? [-1, 1] : placeholderRange(before)),
    );
    first = end;
  }
  return pieces;
}

function pieceOf(
  all: readonly Layer[],
  first: number,
  end: number,
  input: Shape,
  range: Piece['range'],
): Piece {
  const layers = all.slice(first, end).map((layer) => ({
    ...layer,
    inputs: layer.inputs.map((index) => (index < first ? IMAGE : index - first)),
  }));
  const texts = layers.map(
    ({ op, inputs, shape, kernel, stride, padding, relu6 }) =>
      `${op}${inputs}>${shape} ${kernel}/${stride}+${padding}${relu6 ? '6' : ''}`,
  );
  return { key: `${input} [${range}] ${texts.join(' ')}`, layers, input, range };
}
