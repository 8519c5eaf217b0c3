/**
 * How a smaller network lies in a larger one: tensors of the same name, of which the smaller has the first channels in every
 * dimension, and the middle of the windows (MCUNet, arXiv 2007.10319: kernels are cropped, not transformed).
 */
import type { Shape } from '../ir/types.ts';

type Dimensions = readonly [out: number, height: number, width: number, depth: number];

/** [channels], [rows, columns] and [out, height, width, in] as four dimensions. */
function dimensionsOf(shape: Shape): Dimensions {
  if (shape.length === 4) return shape as unknown as Dimensions;
  return [shape.length === 2 ? shape[0]! : 1, 1, 1, shape.at(-1)!];
}

/** Copies the elements of `whole` that a tensor of shape `partShape` has. */
export function takePart(
  whole: Float32Array,
  wholeShape: Shape,
  part: Float32Array,
  partShape: Shape,
): Float32Array {
  eachRow(wholeShape, partShape, (inWhole, inPart, length) => {
    part.set(whole.subarray(inWhole, inWhole + length), inPart);
  });
  return part;
}

/** The way back: adds `factor` times the elements of `part` to those of `whole` that they were taken from. */
export function addPart(
  whole: Float32Array,
  wholeShape: Shape,
  part: Float32Array,
  partShape: Shape,
  factor: number,
): void {
  eachRow(wholeShape, partShape, (inWhole, inPart, length) => {
    for (let i = 0; i < length; ++i) whole[inWhole + i]! += factor * part[inPart + i]!;
  });
}

/** Calls `visit` for each run of elements that lie one behind the other in both tensors. */
function eachRow(
  wholeShape: Shape,
  partShape: Shape,
  visit: (inWhole: number, inPart: number, length: number) => void,
): void {
  const [outs, height, width, depth] = dimensionsOf(partShape);
  const [, wholeHeight, wholeWidth, wholeDepth] = dimensionsOf(wholeShape);
  const [top, left] = [(wholeHeight - height) / 2, (wholeWidth - width) / 2];
  let inPart = 0;
  for (let o = 0; o < outs; ++o) {
    for (let y = 0; y < height; ++y) {
      for (let x = 0; x < width; ++x) {
        const inWhole = ((o * wholeHeight + top + y) * wholeWidth + left + x) * wholeDepth;
        visit(inWhole, inPart, depth);
        inPart += depth;
      }
    }
  }
}
