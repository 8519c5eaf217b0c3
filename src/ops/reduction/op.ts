/** Sums over dimensions, and their counterpart: docs/training.md. */
import { elementCount, type Shape } from '../../ir/types.ts';
import { at } from '../conv2d/float.ts';
import type { OpDef } from '../definition.ts';
import {
  type FloatCall,
  type FloatMeaning,
  floatKernel,
  joinDimensions,
  operandsProblem,
  perDimension,
} from '../float.ts';
import { stridedCall } from '../movement/strided.ts';
import { broadcastShape, broadcastStrides, sameShape, stridedOffsets, stridesOf } from '../strided.ts';
import { Sums } from '../taps.ts';

export const sum: OpDef<'sum'> = {
  name: 'sum',
  verify: (view) => operandsProblem(view, 1) ?? broadcastProblem(view.outs[0]!.shape, view.ins[0]!.shape),
  macs: () => 0,
  reference({ ins, outs }) {
    const [x, y] = [ins[0]!, outs[0]!];
    const sums = new Sums(y.data.length);
    const places = stridedOffsets(x.shape, broadcastStrides(y.shape, x.shape));
    for (const [i, to] of places.entries()) sums.add(to, at(x, i));
    sums.store(y);
  },
  kernels: [
    floatKernel('sum_f32', 'any dimensions', ({ ins, outs }) => sumCall(ins[0]!.shape, outs[0]!.shape, 1)),
  ],
};

export const broadcast: OpDef<'broadcast'> = {
  name: 'broadcast',
  verify: (view) => operandsProblem(view, 1) ?? broadcastProblem(view.ins[0]!.shape, view.outs[0]!.shape),
  macs: () => 0,
  reference({ ins, outs }) {
    const [x, y] = [ins[0]!, outs[0]!];
    stridedOffsets(y.shape, broadcastStrides(x.shape, y.shape)).forEach((from, i) => {
      y.data[i] = at(x, from);
    });
  },
  kernels: [
    floatKernel('strided_f32', 'any dimensions', ({ ins, outs }) => {
      const y = outs[0]!.shape;
      return stridedCall({ sizes: y, from: broadcastStrides(ins[0]!.shape, y), to: stridesOf(y) });
    }),
  ],
};

/** The dimensions that are summed over stay with size 1, or go: `keptShape` brings them back. */
export const meanFloat: FloatMeaning<'mean'> = {
  reference({ attrs, ins, outs }) {
    const [x, y] = [ins[0]!, outs[0]!];
    const count = x.data.length / y.data.length;
    const sums = new Sums(y.data.length);
    const kept = keptShape(x.shape, attrs.axes);
    const places = stridedOffsets(x.shape, broadcastStrides(kept, x.shape));
    for (const [i, to] of places.entries()) sums.add(to, at(x, i));
    sums.store(y, (total) => total / count);
  },
  kernels: [
    floatKernel('sum_f32', 'any dimensions', ({ attrs, ins, outs }) => {
      const x = ins[0]!.shape;
      return sumCall(x, keptShape(x, attrs.axes), elementCount(outs[0]!.shape) / elementCount(x));
    }),
  ],
};

/** `shape` with size 1 in the dimensions `axes`. */
export function keptShape(shape: Shape, axes: readonly number[]): Shape {
  return shape.map((size, d) => (axes.includes(d) ? 1 : size));
}

function sumCall(x: Shape, y: Shape, factor: number): FloatCall {
  const { sizes, strides } = joinDimensions(x, [broadcastStrides(y, x), stridesOf(x)]);
  return {
    geometry: {
      ...perDimension('size', sizes, 1),
      ...perDimension('out', strides[0]!, 0),
      out_size: elementCount(y),
    },
    data: { factor: [factor] },
  };
}

function broadcastProblem(small: Shape, large: Shape) {
  const shape = broadcastShape(small, large);
  if (shape !== undefined && sameShape(shape, large)) return undefined;
  return { code: 'RV2005' as const, message: `[${small}] does not broadcast to [${large}]` };
}
