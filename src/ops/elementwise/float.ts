import type { Clamp } from '../../ir/attributes.ts';
import { at } from '../conv2d/float.ts';
import { type FloatMeaning, floatKernel, joinDimensions, perDimension, UNBOUNDED } from '../float.ts';
import { broadcastStrides, stridedOffsets, stridesOf } from '../strided.ts';
import { clampReal } from '../taps.ts';
import type { ElementwiseOp } from './arithmetic.ts';

/** In the order of the operations of arithmetic_f32. */
const FUNCTIONS: readonly (readonly [ElementwiseOp, (a: number, b: number) => number])[] = [
  ['add', (a, b) => a + b],
  ['sub', (a, b) => a - b],
  ['mul', (a, b) => a * b],
  ['maximum', Math.max],
  ['minimum', Math.min],
  ['prelu', (a, b) => (a > 0 ? a : a * b)],
];

/** An operator on two float32 operands that broadcast. */
export function elementwiseFloat<K extends ElementwiseOp>(name: K): FloatMeaning<K> {
  const operation = FUNCTIONS.findIndex(([known]) => known === name);
  const [, evaluate] = FUNCTIONS[operation]!;
  return {
    reference({ attrs, ins, outs }) {
      const [a, b, y] = [ins[0]!, ins[1]!, outs[0]!];
      const fromA = stridedOffsets(y.shape, broadcastStrides(a.shape, y.shape));
      const fromB = stridedOffsets(y.shape, broadcastStrides(b.shape, y.shape));
      for (let i = 0; i < y.data.length; ++i) {
        y.data[i] = clampReal(evaluate(at(a, fromA[i]!), at(b, fromB[i]!)), boundsOf(attrs));
      }
    },
    kernels: [
      floatKernel('arithmetic_f32', 'any broadcasting of either operand', ({ attrs, ins, outs }) => {
        const y = outs[0]!.shape;
        const operands = ins.map((operand) => broadcastStrides(operand!.shape, y));
        const { sizes, strides } = joinDimensions(y, [...operands, stridesOf(y)]);
        return {
          geometry: {
            operation,
            ...perDimension('size', sizes, 1),
            ...perDimension('a', strides[0]!, 0),
            ...perDimension('b', strides[1]!, 0),
          },
          data: { bounds: boundsOf(attrs) },
        };
      }),
    ],
  };
}

function boundsOf(attrs: { readonly clamp?: Clamp }): Clamp {
  return attrs.clamp ?? UNBOUNDED;
}
