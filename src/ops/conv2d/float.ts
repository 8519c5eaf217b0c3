/** conv2d and its gradients on float32: docs/training.md. */
import type { ConvolutionAttributes, GradientWindow, Pair } from '../../ir/attributes.ts';
import { elementCount, type Value } from '../../ir/types.ts';
import type { NodeView, OpDef, Tensor } from '../definition.ts';
import {
  type FloatCall,
  type FloatMeaning,
  floatKernel,
  MOST_LANES,
  operandsProblem,
  twin,
  UNBOUNDED,
} from '../float.ts';
import { clampReal, forEachTap, Sums } from '../taps.ts';
import { conv2d } from './op.ts';

/** Image, windows and weights of a convolution and of each of its gradients. */
interface Parts {
  readonly x: Pick<Value, 'shape'>;
  readonly weights: Pick<Value, 'shape'>;
  readonly y: Pick<Value, 'shape'>;
}

export const conv2dFloat: FloatMeaning<'conv2d'> = {
  reference({ attrs, ins, outs }) {
    const [x, weights, bias, y] = [ins[0]!, ins[1]!, ins[2], outs[0]!];
    const sums = new Sums(y.data.length);
    forEachProduct({ x, weights, y }, attrs, (xi, wi, yi) => sums.add(yi, at(x, xi) * at(weights, wi)));
    const channels = y.shape[3]!;
    sums.store(y, (sum, i) => clampReal(sum + (bias ? at(bias, i % channels) : 0), attrs.clamp));
  },
  kernels: [
    floatKernel(
      'product_f32',
      'pointwise: one product of matrices over all pixels of the batch',
      ({ attrs, ins, outs }) => {
        const [columns, , , inner] = ins[1]!.shape as [number, number, number, number];
        return productCall({
          rows: elementCount(outs[0]!.shape) / columns,
          inner,
          columns,
          strides: [1, inner],
          hasBias: ins[2] != null,
          bounds: attrs.clamp,
        });
      },
      ({ attrs, ins }) => pointwiseRefusal(attrs, { x: ins[0]!, weights: ins[1]! }),
    ),
    floatKernel('conv2d_f32', 'any window and groups: patches times weights', ({ attrs, ins, outs }) => {
      const parts = { x: ins[0]!, weights: ins[1]!, y: outs[0]! };
      return {
        geometry: { ...convolutionGeometry(parts, attrs), has_bias: ins[2] == null ? 0 : 1 },
        data: { bounds: attrs.clamp },
        scratch: patchFloats(parts) + packedFloats(tapsOf(parts), outputGroup(parts)),
      };
    }),
  ],
};

export const conv2dInputGradient: OpDef<'conv2d_input_gradient'> = {
  name: 'conv2d_input_gradient',
  verify(view) {
    const missing = operandsProblem(view, 2);
    if (missing) return missing;
    const [dy, weights, dx] = [view.ins[0]!, view.ins[1]!, view.outs[0]!];
    return convolutionTwin(view.attrs, { x: dx, weights, y: dy });
  },
  macs: ({ ins }) => elementCount(ins[0]!.shape) * elementCount(ins[1]!.shape.slice(1)),
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
      'product_f32',
      'pointwise: one product of matrices over all pixels of the batch',
      ({ ins, outs }) => {
        const [inner, , , columns] = ins[1]!.shape as [number, number, number, number];
        const rows = elementCount(outs[0]!.shape) / columns;
        return productCall({
          rows,
          inner,
          columns,
          strides: [columns, 1],
          hasBias: false,
          bounds: UNBOUNDED,
        });
      },
      ({ attrs, ins, outs }) => pointwiseRefusal(attrs, { x: outs[0]!, weights: ins[1]! }),
    ),
    floatKernel(
      'conv2d_input_gradient_f32',
      'any window and groups: patches are added to the image',
      ({ attrs, ins, outs }) => {
        const parts = { x: outs[0]!, weights: ins[1]!, y: ins[0]! };
        return inputGradientCall(parts, attrs, {
          tap_stride: parts.weights.shape[3]!,
          in_stride: 1,
          out_stride: tapsOf(parts),
        });
      },
    ),
  ],
};

export const conv2dWeightGradient: OpDef<'conv2d_weight_gradient'> = {
  name: 'conv2d_weight_gradient',
  verify(view) {
    const missing = operandsProblem(view, 2);
    if (missing) return missing;
    const [x, dy, dw] = [view.ins[0]!, view.ins[1]!, view.outs[0]!];
    return convolutionTwin(view.attrs, { x, weights: dw, y: dy });
  },
  macs: ({ ins, outs }) => elementCount(ins[1]!.shape) * elementCount(outs[0]!.shape.slice(1)),
  reference({ attrs, ins, outs }) {
    const [x, dy, dw] = [ins[0]!, ins[1]!, outs[0]!];
    const sums = new Sums(dw.data.length);
    forEachProduct({ x, weights: dw, y: dy }, attrs, (xi, wi, yi) => sums.add(wi, at(x, xi) * at(dy, yi)));
    sums.store(dw);
  },
  kernels: [
    floatKernel(
      'transposed_product_f32',
      'pointwise: one product of matrices over all pixels of the batch',
      ({ ins, outs }) => {
        const [rows, , , columns] = outs[0]!.shape as [number, number, number, number];
        return { geometry: { inner: elementCount(ins[1]!.shape) / rows, rows, columns } };
      },
      ({ attrs, ins, outs }) => pointwiseRefusal(attrs, { x: ins[0]!, weights: outs[0]! }),
    ),
    floatKernel(
      'conv2d_weight_gradient_f32',
      'any window and groups: gradients times patches',
      ({ attrs, ins, outs }) => {
        const parts = { x: ins[0]!, weights: outs[0]!, y: ins[1]! };
        return { geometry: convolutionGeometry(parts, attrs), scratch: patchFloats(parts) };
      },
    ),
  ],
};

/** product_f32: [rows, inner] times an [inner, columns] whose elements lie `strides` apart. */
export function productCall({
  rows,
  inner,
  columns,
  strides: [inner_stride, column_stride],
  hasBias,
  bounds,
}: {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly strides: readonly [inner: number, column: number];
  readonly hasBias: boolean;
  readonly bounds: readonly [number, number];
}): FloatCall {
  return {
    geometry: { rows, inner, columns, inner_stride, column_stride, has_bias: hasBias ? 1 : 0 },
    data: { bounds },
    scratch: packedFloats(inner, columns),
  };
}

/** conv2d_input_gradient_f32, whose weights lie in any order. */
export function inputGradientCall(
  parts: Parts,
  attrs: GradientWindow,
  strides: Readonly<Record<'tap_stride' | 'in_stride' | 'out_stride', number>>,
  hasBias = false,
  bounds = UNBOUNDED,
): FloatCall {
  return {
    geometry: { ...convolutionGeometry(parts, attrs), ...strides, has_bias: hasBias ? 1 : 0 },
    data: { bounds },
    scratch: patchFloats(parts) + packedFloats(outputGroup(parts), tapsOf(parts)),
  };
}

/** Floats of a packed matrix: columns fill whole vectors. */
function packedFloats(inner: number, columns: number): number {
  return Math.ceil(columns / MOST_LANES) * MOST_LANES * inner;
}

function patchFloats(parts: Parts): number {
  return parts.y.shape[1]! * parts.y.shape[2]! * tapsOf(parts);
}

/** Weights of one output channel. */
function tapsOf({ weights }: Parts): number {
  return elementCount(weights.shape.slice(1));
}

/** Output channels of a group. */
function outputGroup({ x, weights }: Parts): number {
  return (weights.shape[0]! * weights.shape[3]!) / x.shape[3]!;
}

function pointwiseRefusal(
  { stride, padding }: GradientWindow,
  { x, weights }: Omit<Parts, 'y'>,
): string | undefined {
  if (weights.shape[1] !== 1 || weights.shape[2] !== 1) return 'the window is larger than 1x1';
  if (weights.shape[3] !== x.shape[3]) return 'the convolution is grouped';
  if (stride[0] !== 1 || stride[1] !== 1) return 'the stride is not 1';
  return padding.every((size) => size === 0) ? undefined : 'the image is padded';
}

/** Fields that describe a window over images. */
export function windowGeometry(
  kernel: Pair,
  { stride, padding, dilation }: GradientWindow,
): Record<string, number> {
  return {
    kernel_height: kernel[0],
    kernel_width: kernel[1],
    stride_y: stride[0],
    stride_x: stride[1],
    dilation_y: dilation[0],
    dilation_x: dilation[1],
    pad_top: padding[0],
    pad_left: padding[2],
  };
}

function convolutionGeometry(parts: Parts, attrs: GradientWindow): Record<string, number> {
  const { x, weights, y } = parts;
  return {
    batch: x.shape[0]!,
    in_height: x.shape[1]!,
    in_width: x.shape[2]!,
    in_channels: x.shape[3]!,
    out_height: y.shape[1]!,
    out_width: y.shape[2]!,
    out_channels: y.shape[3]!,
    group_in_channels: weights.shape[3]!,
    group_out_channels: outputGroup(parts),
    ...windowGeometry([weights.shape[1]!, weights.shape[2]!], attrs),
  };
}

/** The problem with the forward convolution that a gradient belongs to. */
function convolutionTwin(
  { stride, padding, dilation }: GradientWindow,
  { x, weights, y }: { readonly x: Value; readonly weights: Value; readonly y: Value },
) {
  const attrs: ConvolutionAttributes = { stride, padding, dilation, clamp: UNBOUNDED };
  const view: NodeView<'conv2d'> = { attrs, ins: [x, weights], outs: [y] };
  return conv2d.verify(twin(view));
}

/** Visits every product x[xi] * weights[wi] that belongs to y[yi]. */
function forEachProduct(
  parts: Parts,
  attrs: GradientWindow,
  visit: (xi: number, wi: number, yi: number) => void,
): void {
  const { x, weights, y } = parts;
  const [outChannels, kernelHeight, kernelWidth, groupChannels] = weights.shape as [
    number,
    number,
    number,
    number,
  ];
  const inChannels = x.shape[3]!;
  const taps = kernelHeight * kernelWidth;
  forEachTap(x.shape, y.shape, [kernelHeight, kernelWidth], attrs, (pixel, window, tap) => {
    for (let o = 0; o < outChannels; ++o) {
      const first = Math.floor(o / outputGroup(parts)) * groupChannels;
      for (let i = 0; i < groupChannels; ++i) {
        visit(pixel * inChannels + first + i, (o * taps + tap) * groupChannels + i, window * outChannels + o);
      }
    }
  });
}

/** An element of a tensor of a reference. */
export function at(tensor: Tensor, index: number): number {
  return tensor.data[index] as number;
}
