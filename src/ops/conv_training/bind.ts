/** Kernels of convolutions that learn, bound to nodes. */
import type { ConvolutionAttributes } from '../../ir/attributes.ts';
import type { Shape, Value } from '../../ir/types.ts';
import { channelMultipliers } from '../convolution.ts';
import type { CallSpec, KernelConstant, NodeView } from '../definition.ts';
import { multiplierConstants, scaleOf, zeroPointOf } from '../quantization.ts';
import { eachRow, planeOf, wholeTensor, windowSlots } from '../rows.ts';
import { optionalSlots } from '../update.ts';
import { biasFactors, inputFactors, weightFactors } from './factors.ts';

/**
 * Weights [O, kh, kw, I] as flash holds them, the one copy that goes forward and backward: 0 for trained channels, nothing
 * if all are trained. And the trained channels, if they are not all.
 */
export function frozenConstants(
  weights: Value,
  trained: Value | null | undefined,
  channels: Value | null | undefined,
): { geometry: Record<'frozen' | 'trained', number>; data: Record<'weights' | 'indices', KernelConstant> } {
  const depth = weights.shape.at(-1)!;
  const list = channels?.data as Int32Array | undefined;
  const isWhole = trained !== null && trained !== undefined && list === undefined;
  const indices = list
    ? Int16Array.from(list)
    : Int16Array.from({ length: isWhole ? depth : 1 }, (_, i) => i);
  const frozen = isWhole ? new Int8Array(1) : zeroed(weights.data as Int8Array, depth, list);
  return {
    geometry: { frozen: Number(!isWhole), trained: trained ? trained.shape.at(-1)! : 0 },
    data: { weights: { role: 'weights', data: frozen }, indices: { role: 'table', data: indices } },
  };
}

/** By weights and channels: one array for all who ask, so that flash holds it once. */
const zeroedOf = new WeakMap<Int8Array, Map<string, Int8Array>>();

function zeroed(weights: Int8Array, depth: number, channels: Int32Array | undefined): Int8Array {
  if (channels === undefined) return weights;
  const known = zeroedOf.get(weights) ?? new Map<string, Int8Array>();
  zeroedOf.set(weights, known);
  const key = channels.join();
  const copy = known.get(key) ?? weights.slice();
  if (!known.has(key)) {
    for (let row = 0; row < copy.length; row += depth) for (const c of channels) copy[row + c] = 0;
    known.set(key, copy);
  }
  return copy;
}

export function bindForward(view: NodeView<'trained_conv2d'>): CallSpec {
  const { attrs, ins, outs } = view;
  const [x, weights, bias, trained, channels] = ins as [Value, Value, Value, Value?, Value?];
  const y = outs[0]!;
  const [outChannels, kernelHeight, kernelWidth, depth] = weights.shape as [number, number, number, number];
  const { geometry, data } = frozenConstants(weights, trained, channels);
  const output = eachRow(y);
  const firings = output.rows.length;
  const { stride, dilation, padding } = attrs;
  return {
    geometry: {
      ...geometry,
      in_width: planeOf(x.shape).width,
      in_channels: depth,
      out_width: planeOf(y.shape).width,
      out_channels: outChannels,
      kernel_height: kernelHeight,
      kernel_width: kernelWidth,
      stride: stride[1],
      dilation: dilation[1],
      pad_left: padding[2],
      in_zero_point: zeroPointOf(x),
      out_zero_point: zeroPointOf(y),
      out_min: attrs.clamp[0],
      out_max: attrs.clamp[1],
    },
    data: { ...data, ...multiplierConstants(channelMultipliers(x, weights, y, outChannels)) },
    firings,
    slots: [
      ...windowSlots(x, y, { kernelHeight, stride, dilation, top: padding[0] }),
      { operand: 2, ...wholeTensor(bias, firings) },
      ...(trained ? [{ operand: 3, ...wholeTensor(trained, firings) }] : []),
    ],
    output,
  };
}

/** Geometry fields of a window between two whole images. */
function windowFields(
  { stride, dilation, padding }: ConvolutionAttributes,
  x: Shape,
  weights: Shape,
  y: Shape,
) {
  return {
    in_height: x[1]!,
    in_width: x[2]!,
    out_height: y[1]!,
    out_width: y[2]!,
    out_channels: y[3]!,
    kernel_height: weights[1]!,
    kernel_width: weights[2]!,
    stride_y: stride[0],
    stride_x: stride[1],
    dilation_y: dilation[0],
    dilation_x: dilation[1],
    pad_top: padding[0],
    pad_left: padding[2],
  };
}

export function bindInputGradient({
  attrs,
  ins,
  outs,
}: NodeView<'quantized_conv2d_input_gradient'>): CallSpec {
  const [g, gScale, mask, weights, trained, channels, scale] = ins as [Value, Value, ...Value[]];
  const dx = outs[0]!;
  const { geometry, data } = frozenConstants(weights!, trained, channels);
  const { factors, bits } = inputFactors(weights!);
  const { slots, indices } = optionalSlots({
    g: [0, g],
    g_scale: [1, gScale],
    scale: [6, scale],
    mask: [2, mask],
    weights: [4, trained],
  });
  return {
    geometry: {
      ...geometry,
      ...windowFields(attrs, dx.shape, weights!.shape, g.shape),
      in_channels: dx.shape[3]!,
      factor_bits: bits,
      mask_slot: indices.mask,
      trained_slot: indices.weights,
    },
    data: { ...data, factors: { role: 'table', data: factors } },
    firings: 1,
    slots,
    output: wholeTensor(dx),
    scratchBytes: 4 * dx.shape[3]!,
  };
}

export function bindUpdate({ attrs, ins, outs }: NodeView<'conv2d_update'>): CallSpec {
  const [x, g, gScale, mask, weights, trained, residual, random, rate, velocity, pending, apply] = ins as [
    Value,
    Value,
    ...Value[],
  ];
  const { slots, indices } = optionalSlots({
    x: [0, x],
    g: [1, g],
    g_scale: [2, gScale],
    trained: [5, trained],
    random: [7, random],
    rate: [8, rate],
    mask: [3, mask],
    residual: [6, residual],
    velocity: [9, velocity],
    pending: [10, pending],
    apply: [11, apply],
  });
  const factors = weightFactors(attrs.qas, scaleOf(x), weights!, g.shape[3]!);
  return {
    geometry: {
      ...windowFields(attrs, x.shape, trained!.shape, g.shape),
      channels: trained!.shape[3]!,
      in_zero_point: zeroPointOf(x),
      residual_bits: attrs.residualBits,
      momentum: attrs.momentum,
      mask_slot: indices.mask,
      residual_slot: indices.residual,
      velocity_slot: indices.velocity,
      pending_slot: indices.pending,
      apply_slot: indices.apply,
    },
    data: { factors: { role: 'table', data: factors } },
    firings: 1,
    slots,
    output: wholeTensor(outs[0]!),
    scratchBytes: 4 * trained!.shape[3]!,
  };
}

export function bindBiasUpdate({ attrs, ins, outs }: NodeView<'bias_update'>): CallSpec {
  const [g, gScale, mask, weights, bias, random, rate, velocity, pending, apply] = ins as [
    Value,
    Value,
    ...Value[],
  ];
  const { slots, indices } = optionalSlots({
    g: [0, g],
    g_scale: [1, gScale],
    bias: [4, bias],
    random: [5, random],
    rate: [6, rate],
    mask: [2, mask],
    velocity: [7, velocity],
    pending: [8, pending],
    apply: [9, apply],
  });
  const { channels, width, height } = planeOf(g.shape);
  const factors = biasFactors(attrs.qas, attrs.inputScale, weights!, channels);
  return {
    geometry: {
      channels,
      width,
      height,
      momentum: attrs.momentum,
      mask_slot: indices.mask,
      velocity_slot: indices.velocity,
      pending_slot: indices.pending,
      apply_slot: indices.apply,
    },
    data: { factors: { role: 'table', data: factors } },
    firings: 1,
    slots,
    output: wholeTensor(outs[0]!),
    scratchBytes: 4 * channels,
  };
}
