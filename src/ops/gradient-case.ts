/** Operands of cases that have gradients. */
import type { TypedArray } from '../core/dtype.ts';
import type { Shape, TensorType } from '../ir/types.ts';
import { type CaseOperand, state } from './case.ts';
import { maskShape } from './clamp_mask/op.ts';

type Constant = TensorType & { readonly data: TypedArray };

export function gradient(shape: Shape): TensorType {
  return { shape, dtype: 'int8' };
}

/** A gradient that is 0 everywhere. */
export function zeroGradient(shape: Shape): Constant {
  return { ...gradient(shape), data: new Int8Array(shape.reduce((a, b) => a * b, 1)) };
}

/** The scale of a gradient that arrives, or that is made: only the predicted shift of that matters. */
export function gradientScale(exponent: number, shift = 0): NonNullable<CaseOperand> {
  return state({ shape: [2], dtype: 'int32', data: Int32Array.of(exponent, shift) });
}

export function mask(shape: Shape): TensorType {
  return { shape: maskShape(shape), dtype: 'uint8' };
}
