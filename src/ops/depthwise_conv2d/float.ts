/** depthwise_conv2d and its gradients on float32: docs/training.md. */
import type { GradientWindow, Pair } from '../../ir/attributes.ts';
import { elementCount, type Value } from '../../ir/types.ts';
import { at, windowGeometry } from '../conv2d/float.ts';
import type { NodeView, OpDef, Problem } from '../definition.ts';
import { type FloatMeaning, floatKernel, operandsProblem, twin, UNBOUNDED } from '../float.ts';
import { clampReal, forEachTap, Sums } from '../taps.ts';
import { depthwiseConv2d } from './op.ts';

interface Parts {
  readonly x: Pick<Value, 'shape'>;
  readonly weights: Pick<Value, 'shape'>;
  readonly y: Pick<Value, 'shape'>;
}

export const depthwiseConv2dFloat: FloatMeaning<'depthwise_conv2d'> = {
  reference({ attrs, ins, outs }) {
    const [x, weights, bias, y] = [ins[0]!, ins[1]!, ins[2], outs[0]!];
    const sums = new Sums(y.data.length);
    forEachProduct({ x, weights, y }, attrs, (xi, wi, yi) => sums.add(yi, at(x, xi) * at(weights, wi)));
    const channels = y.shape[3]!;
    sums.store(y, (sum, i) => clampReal(sum + (bias ? at(bias, i % channels) : 0), attrs.clamp));
  },
  kernels: [
    floatKernel('depthwise_conv2d_f32', 'any window: slides over padded planes', ({ attrs, ins, outs }) => {
      const parts = { x: ins[0]!, weights: ins[1]!, y: outs[0]! };
      const { geometry, planeFloats } = overInput(parts, attrs);
      return {
        geometry: { ...geometry, has_bias: ins[2] == null ? 0 : 1 },
        data: { bounds: attrs.clamp },
        scratch: planeFloats,
      };
    }),
  ],
};

export const depthwiseConv2dInputGradient: OpDef<'depthwise_conv2d_input_gradient'> = {
  name: 'depthwise_conv2d_input_gradient',
  verify(view) {
    const [dy, weights, dx] = [view.ins[0], view.ins[1], view.outs[0]!];
    return operandsProblem(view, 2) ?? forwardProblem(view.attrs, { x: dx, weights: weights!, y: dy! });
  },
  macs: ({ ins }) => elementCount(ins[0]!.shape) * windowTaps(ins[1]!),
  reference({ attrs, ins, outs }) {
    const [dy, weights, dx] = [ins[0]!, ins[1]!, outs[0]!];
    const sums = new Sums(dx.data.length);
    forEachProduct({ x: dx, weights, y: dy }, attrs, (xi, wi, yi) =>
      sums.add(xi, at(dy, yi) * at(weights, wi)),
    );
    sums.store(dx);
  },
  kernels: [
    floatKernel(
      'depthwise_conv2d_input_gradient_f32',
      'any window: the turned weights slide over padded planes',
      ({ attrs, ins, outs }) => {
        const parts = { x: outs[0]!, weights: ins[1]!, y: ins[0]! };
        const { x, weights, y } = parts;
        const [height, width] = [
          x.shape[1]! + (weights.shape[1]! - 1) * attrs.dilation[0],
          x.shape[2]! + (weights.shape[2]! - 1) * attrs.dilation[1],
        ];
        const spread = y.shape[3] === x.shape[3] ? 0 : x.shape[1]! * x.shape[2]! * y.shape[3]!;
        return {
          geometry: geometryOf(parts, attrs, [height, width]),
          scratch: height * width * y.shape[3]! + elementCount(weights.shape) + spread,
        };
      },
    ),
  ],
};

export const depthwiseConv2dWeightGradient: OpDef<'depthwise_conv2d_weight_gradient'> = {
  name: 'depthwise_conv2d_weight_gradient',
  verify(view) {
    const [x, dy, dw] = [view.ins[0], view.ins[1], view.outs[0]!];
    return operandsProblem(view, 2) ?? forwardProblem(view.attrs, { x: x!, weights: dw, y: dy! });
  },
  macs: ({ ins, outs }) => elementCount(ins[1]!.shape) * windowTaps(outs[0]!),
  reference({ attrs, ins, outs }) {
    const [x, dy, dw] = [ins[0]!, ins[1]!, outs[0]!];
    const sums = new Sums(dw.data.length);
    forEachProduct({ x, weights: dw, y: dy }, attrs, (xi, wi, yi) => sums.add(wi, at(x, xi) * at(dy, yi)));
    sums.store(dw);
  },
  kernels: [
    floatKernel(
      'depthwise_conv2d_weight_gradient_f32',
      'any window: padded planes times gradients',
      ({ attrs, ins, outs }) => {
        const { geometry, planeFloats } = overInput({ x: ins[0]!, weights: outs[0]!, y: ins[1]! }, attrs);
        return { geometry, scratch: planeFloats };
      },
    ),
  ],
};

function windowTaps({ shape }: Pick<Value, 'shape'>): number {
  return shape[1]! * shape[2]!;
}

/** The padded plane of an image holds what all windows see, and no more. */
function overInput(
  parts: Parts,
  attrs: GradientWindow,
): { geometry: Record<string, number>; planeFloats: number } {
  const { weights, y } = parts;
  const extent = (d: 0 | 1): number =>
    (y.shape[1 + d]! - 1) * attrs.stride[d] + (weights.shape[1 + d]! - 1) * attrs.dilation[d] + 1;
  const plane: Pair = [extent(0), extent(1)];
  return { geometry: geometryOf(parts, attrs, plane), planeFloats: plane[0] * plane[1] * y.shape[3]! };
}

function geometryOf({ x, weights, y }: Parts, attrs: GradientWindow, plane: Pair): Record<string, number> {
  return {
    batch: x.shape[0]!,
    in_height: x.shape[1]!,
    in_width: x.shape[2]!,
    in_channels: x.shape[3]!,
    out_height: y.shape[1]!,
    out_width: y.shape[2]!,
    multiplier: y.shape[3]! / x.shape[3]!,
    plane_height: plane[0],
    plane_width: plane[1],
    ...windowGeometry([weights.shape[1]!, weights.shape[2]!], attrs),
  };
}

function forwardProblem(
  { stride, padding, dilation }: GradientWindow,
  { x, weights, y }: { readonly x: Value; readonly weights: Value; readonly y: Value },
): Problem | undefined {
  const attrs = { stride, padding, dilation, clamp: UNBOUNDED };
  const view: NodeView<'depthwise_conv2d'> = { attrs, ins: [x, weights], outs: [y] };
  return depthwiseConv2d.verify(twin(view));
}

/** Visits every product x[xi] * weights[wi] that belongs to y[yi]. */
function forEachProduct(
  { x, weights, y }: Parts,
  attrs: GradientWindow,
  visit: (xi: number, wi: number, yi: number) => void,
): void {
  const [inChannels, outChannels] = [x.shape[3]!, y.shape[3]!];
  const multiplier = outChannels / inChannels;
  forEachTap(x.shape, y.shape, [weights.shape[1]!, weights.shape[2]!], attrs, (pixel, window, tap) => {
    for (let o = 0; o < outChannels; ++o) {
      visit(pixel * inChannels + Math.floor(o / multiplier), tap * outChannels + o, window * outChannels + o);
    }
  });
}
