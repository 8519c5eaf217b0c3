import { elementCount, type Shape, type TensorType, type Value } from '../../ir/types.ts';
import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { factorsOf } from '../factors.ts';
import {
  exponentOf,
  gradientProblem,
  gradientScaleProblem,
  incomingProblem,
  LARGEST_ACCUMULATOR,
  maskedGradient,
  storeGradient,
  wholeSlot,
} from '../gradient.ts';
import { firstProblem, int8Problem, scaleOf, zeroPointOf } from '../quantization.ts';
import { planeOf, wholeTensor } from '../rows.ts';
import { sameShape } from '../strided.ts';

type View = NodeView<'mul_gradient'>;

/** Sums of products over all pixels stay inside int32. */
const MAX_PIXELS = 1 << 16;

/** Of one operand of a multiplication. Operands: the other one, g, its scale, mask?, scale of the result. */
export const mulGradient: OpDef<'mul_gradient'> = {
  name: 'mul_gradient',
  verify,
  mutates: [4],
  macs: ({ ins }) => elementCount(ins[1]!.shape),
  reference,
  kernels: [
    {
      name: 'mul_gradient_s8',
      isa: 'portable',
      shared: true,
      why: 'either operand with a value for each pixel, or for all',
      refuses: () => undefined,
      bind: (view) => [bind(view)],
    },
  ],
};

function verify({ ins, outs }: View): Problem | undefined {
  const [other, g, gScale, mask, scale] = ins;
  const d = outs[0]!;
  if (!other || !g) return { code: 'RV2005', message: 'the other operand or the gradient are missing' };
  const operands = firstProblem(
    int8Problem(other, 'the other operand'),
    incomingProblem([g, gScale, mask], g),
    gradientProblem(d, d.shape),
    gradientScaleProblem(scale),
  );
  if (operands) return operands;
  if (![other, d].every(({ shape }) => sameShape(shape, g.shape) || isForAllPixels(shape, g.shape))) {
    return { code: 'RV2005', message: `[${other.shape}] and [${d.shape}] multiplied to [${g.shape}]` };
  }
  if (g.shape[1]! * g.shape[2]! > MAX_PIXELS) {
    return { code: 'RV2006', message: `a product of more than ${MAX_PIXELS} pixels` };
  }
  return undefined;
}

/** Whether `shape` has one value for each of the channels of an image. */
function isForAllPixels(shape: Shape, image: Shape): boolean {
  return shape.at(-1) === image[3] && elementCount(shape) === image[3];
}

/** scale of `other` = factor * 2^-fraction; sums over `pixels` are shifted right until the product with it is below `LARGEST_ACCUMULATOR`. */
function parameters(other: TensorType, pixels: number): Record<'factor' | 'fraction' | 'shift', number> {
  const { factors, fraction } = factorsOf([scaleOf(other)], 1);
  let shift = 0;
  while ((pixels * 128 * 255 + 2 ** shift) * 128 >= LARGEST_ACCUMULATOR * 2 ** shift) ++shift;
  return { factor: factors[0]!, fraction, shift };
}

/**
 * A = ((sum + half) >> shift) * factor, where sum is gm * (other - Z) of an element, or that of all pixels where the operand
 * is the same for all; exponent that of g less the fraction bits, and the shift, which is 0 up to 256 pixels.
 */
function reference({ ins, outs }: ReferenceView<'mul_gradient'>): void {
  const [other, g, gScale, mask, scale] = ins;
  const d = outs[0]!;
  const zeroPoint = zeroPointOf(other!);
  const sums = new Int32Array(d.data.length);
  maskedGradient(g!, mask).forEach((gradient, i) => {
    const value = Number(other!.data[i % other!.data.length]!) - zeroPoint;
    const at = i % sums.length;
    sums[at] = sums[at]! + gradient * value;
  });
  const { factor, fraction, shift } = parameters(other!, g!.data.length / sums.length);
  const accumulators = sums.map((sum) => Math.floor(sum / 2 ** shift + 0.5) * factor);
  storeGradient(accumulators, exponentOf(gScale!) - fraction + shift, d, scale!);
}

function bind({ ins, outs }: View): CallSpec {
  const [other, g] = ins as [Value, Value];
  const d = outs[0]!;
  const { height, width, channels } = planeOf(g.shape);
  const elements = elementCount(d.shape);
  const { factor, fraction, shift } = parameters(other, (height * width * channels) / elements);
  return {
    geometry: {
      height,
      width,
      channels,
      // Pixels, of which there may be one for all.
      other_pixels: elementCount(other.shape) / channels,
      pixels: elements / channels,
      zero_point: zeroPointOf(other),
      factor,
      fraction: fraction - shift,
      shift,
    },
    data: {},
    firings: 1,
    slots: [0, 1, 2, 4, 3].map((operand) => wholeSlot(ins, operand)),
    output: wholeTensor(d),
  };
}
