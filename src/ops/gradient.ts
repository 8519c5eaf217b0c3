/**
 * Gradients: int8 tensors of their activation's shape, without quantisation, whose scale is a state int32 [2] of exponent
 * e and predicted shift: the real gradient is G * 2^e. A mask has a bit for each element of a row, see `clamp_mask`.
 */
import type { Shape, TensorType, Value } from '../ir/types.ts';
import { maskShape } from './clamp_mask/op.ts';
import type { Problem, SlotSpec, Tensor } from './definition.ts';
import { firstProblem } from './quantization.ts';
import { rowsOf, wholeTensor } from './rows.ts';
import { sameShape } from './strided.ts';

/** How much larger than needed a predicted shift may be: the noise of rounding is then that of a larger gradient. */
const SLACK = 4;

/** Accumulators of gradients are at most this: a draw is added to them in int32. */
export const LARGEST_ACCUMULATOR = 2 ** 30;

/** The least s >= 0 with -128 <= A >> s <= 127. */
export function neededShift(accumulator: number): number {
  return Math.max(0, 25 - Math.clz32(accumulator < 0 ? ~accumulator : accumulator));
}

/**
 * What is added before a shift: as many bits as are cut off, and as random, but a function of what is rounded alone, a hash
 * by the golden ratio (Knuth, The Art of Computer Programming, 6.4). So a gradient is right on average. Rounding to nearest
 * would take whatever is small and has a direction, and a training through many layers does not survive that.
 */
function drawOf(accumulator: number, shift: number): number {
  return shift > 0 ? Math.imul(accumulator, 0x9e3779b9) >>> (32 - shift) : 0;
}

/**
 * Fills `gradient` and its `scale` from accumulators A, real gradient A * 2^exponent: G = (A + draw) >> shift, saturated,
 * with the predicted shift if that is the needed one or up to four more, with the needed one otherwise. The next prediction
 * is one more than was needed, so that the next gradient may be twice as large without a second pass, and falls by one at
 * a time: images that the network is sure of have small gradients, and others follow.
 */
export function storeGradient(
  accumulators: ArrayLike<number>,
  exponent: number,
  gradient: Tensor,
  scale: Tensor,
): void {
  let needed = 0;
  for (let i = 0; i < accumulators.length; ++i) needed = Math.max(needed, neededShift(accumulators[i]!));
  const predicted = Number(scale.data[1]!);
  const shift = needed <= predicted && predicted <= needed + SLACK ? predicted : needed;
  for (let i = 0; i < accumulators.length; ++i) {
    const rounded = (accumulators[i]! + drawOf(accumulators[i]!, shift)) >> shift;
    gradient.data[i] = Math.max(-128, Math.min(127, rounded));
  }
  scale.data[0] = (exponent + shift) | 0;
  scale.data[1] = Math.max(needed + 1, shift - 1);
}

/** The exponent of a gradient. */
export function exponentOf(scale: Tensor): number {
  return Number(scale.data[0]!);
}

/** G where the mask lets it through, 0 elsewhere. */
export function maskedGradient(gradient: Tensor, mask: Tensor | null | undefined): Int8Array {
  const values = gradient.data as Int8Array;
  if (!mask) return values;
  const elements = rowsOf(gradient).bytes;
  const bytes = rowsOf(mask).bytes;
  return values.map((value, i) => {
    const [row, element] = [Math.floor(i / elements), i % elements];
    const byte = Number(mask.data[row * bytes + (element >> 3)]!);
    return (byte >> (element & 7)) & 1 ? value : 0;
  });
}

/** The problem with a gradient [1, H, W, C] of an activation of `shape`. */
export function gradientProblem(gradient: Value | null | undefined, shape: Shape): Problem | undefined {
  if (gradient?.dtype !== 'int8' || gradient.quantization !== undefined) {
    return { code: 'RV2003', message: 'a gradient is int8 without quantisation' };
  }
  if (sameShape(gradient.shape, shape)) return undefined;
  return { code: 'RV2005', message: `the gradient is [${gradient.shape}] of an activation [${shape}]` };
}

export function gradientScaleProblem(scale: Value | null | undefined): Problem | undefined {
  if (scale?.role === 'state' && scale.dtype === 'int32' && sameShape(scale.shape, [2])) return undefined;
  return { code: 'RV2003', message: 'the scale of a gradient is a state of two int32' };
}

/** The problem with the operands that say what arrives: a gradient of an activation of `shape`, its scale, its mask. */
export function incomingProblem(
  [gradient, scale, mask]: readonly (Value | null | undefined)[],
  { shape }: Pick<TensorType, 'shape'>,
): Problem | undefined {
  const sizes = shape.length === 4 && shape[0] === 1;
  return firstProblem(
    sizes ? undefined : { code: 'RV2005', message: `[${shape}] is not one image` },
    gradientProblem(gradient, shape),
    gradientScaleProblem(scale),
    sizes && mask ? maskProblem(mask, shape) : undefined,
  );
}

function maskProblem(mask: Value, shape: Shape): Problem | undefined {
  if (mask.dtype === 'uint8' && sameShape(mask.shape, maskShape(shape))) return undefined;
  return { code: 'RV2005', message: `the mask is ${mask.dtype} [${mask.shape}] of an activation [${shape}]` };
}

/** The whole of operand `operand` as the slot of a single firing; NULL where it is absent. */
export function wholeSlot(ins: readonly (Value | null | undefined)[], operand: number): SlotSpec {
  const value = ins[operand];
  if (value) return { operand, ...wholeTensor(value) };
  const [stand] = ins as readonly [Value];
  return { operand: 0, ...wholeTensor(stand), rows: Int32Array.of(-1) };
}
