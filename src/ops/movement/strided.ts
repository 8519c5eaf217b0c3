/** Operators on float32 that only move values: one kernel for all, with strides on both sides. */
import type { OpName } from '../../ir/attributes.ts';
import { elementCount, type Shape } from '../../ir/types.ts';
import type { OpDef } from '../definition.ts';
import {
  type FloatCall,
  type FloatMeaning,
  floatKernel,
  joinDimensions,
  operandsProblem,
  perDimension,
  twin,
} from '../float.ts';
import { slice } from '../slice/op.ts';
import { stridedOffsets, stridesOf } from '../strided.ts';

export interface Move {
  readonly sizes: Shape;
  /** Strides and the first element of both sides. */
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly fromStart?: number;
  readonly toStart?: number;
  /** Elements of the output, all of which are `value` before anything moves. */
  readonly fill?: { readonly size: number; readonly value: number };
  readonly operand?: number;
}

/** A call of strided_f32. */
export function stridedCall({ sizes, from, to, fromStart = 0, toStart = 0, fill, operand }: Move): FloatCall {
  const joined = joinDimensions(sizes, [from, to]);
  return {
    geometry: {
      ...perDimension('size', joined.sizes, 1),
      ...perDimension('in', joined.strides[0]!, 0),
      ...perDimension('out', joined.strides[1]!, 0),
      in_start: fromStart,
      out_start: toStart,
      fills: fill === undefined ? 0 : 1,
      out_size: fill?.size ?? 0,
    },
    data: { fill: [fill?.value ?? 0] },
    ...(operand !== undefined && { operands: [operand] }),
  };
}

/** The float32 meaning of an operator whose quantised reference moves elements of any type. */
function moved<K extends OpName>(
  { reference }: OpDef<K>,
  bind: Parameters<typeof floatKernel<K>>[2],
): FloatMeaning<K> {
  return { reference, kernels: [floatKernel('strided_f32', 'any dimensions', bind)] };
}

export function padFloat(definition: OpDef<'pad'>): FloatMeaning<'pad'> {
  return moved(definition, ({ attrs: { before, value }, ins, outs }) => {
    const [x, y] = [ins[0]!.shape, outs[0]!.shape];
    const to = stridesOf(y);
    const fill = { size: elementCount(y), value };
    return stridedCall({ sizes: x, from: stridesOf(x), to, toStart: dot(before, to), fill });
  });
}

export function transposeFloat(definition: OpDef<'transpose'>): FloatMeaning<'transpose'> {
  return moved(definition, ({ attrs: { permutation }, ins, outs }) => {
    const strides = stridesOf(ins[0]!.shape);
    const y = outs[0]!.shape;
    return stridedCall({ sizes: y, from: permutation.map((d) => strides[d]!), to: stridesOf(y) });
  });
}

export function sliceFloat(definition: OpDef<'slice'>): FloatMeaning<'slice'> {
  return moved(definition, ({ attrs: { begin, strides }, ins, outs }) => {
    const steps = stridesOf(ins[0]!.shape);
    const y = outs[0]!.shape;
    const from = steps.map((step, d) => step * strides[d]!);
    return stridedCall({ sizes: y, from, to: stridesOf(y), fromStart: dot(begin, steps) });
  });
}

export function concatFloat(definition: OpDef<'concat'>): FloatMeaning<'concat'> {
  const meaning = moved(definition, ({ attrs: { axis }, ins, outs }) => {
    const to = stridesOf(outs[0]!.shape);
    let start = 0;
    return ins.map((value, operand) => {
      const x = value!.shape;
      const move = { sizes: x, from: stridesOf(x), to, toStart: start * to[axis]!, operand };
      start += x[axis]!;
      return stridedCall(move);
    });
  });
  return {
    ...meaning,
    verify: (view) => {
      const like = view.ins.map((value) => value && { ...twin({ ...view, ins: [value] }).ins[0]! });
      return operandsProblem(view, view.ins.length) ?? definition.verify({ ...twin(view), ins: like });
    },
  };
}

export const sliceGradient: OpDef<'slice_gradient'> = {
  name: 'slice_gradient',
  verify: (view) =>
    operandsProblem(view, 1) ??
    slice.verify(twin({ attrs: view.attrs, ins: [view.outs[0]!], outs: [view.ins[0]!] })),
  macs: () => 0,
  reference({ attrs: { begin, strides }, ins, outs }) {
    const [dy, dx] = [ins[0]!, outs[0]!];
    const steps = stridesOf(dx.shape);
    const to = steps.map((step, d) => step * strides[d]!);
    for (let i = 0; i < dx.data.length; ++i) dx.data[i] = 0;
    stridedOffsets(dy.shape, to, dot(begin, steps)).forEach((place, i) => {
      dx.data[place] = dy.data[i]!;
    });
  },
  kernels: [
    floatKernel('strided_f32', 'any dimensions', ({ attrs: { begin, strides }, ins, outs }) => {
      const [dy, dx] = [ins[0]!.shape, outs[0]!.shape];
      const steps = stridesOf(dx);
      const to = steps.map((step, d) => step * strides[d]!);
      const fill = { size: elementCount(dx), value: 0 };
      return stridedCall({ sizes: dy, from: stridesOf(dy), to, toStart: dot(begin, steps), fill });
    }),
  ],
};

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((total, value, i) => total + value * b[i]!, 0);
}
