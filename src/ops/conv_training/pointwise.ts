/** Pointwise convolutions that learn on cores with the DSP extension, bound to nodes. */
import type { ConvolutionAttributes } from '../../ir/attributes.ts';
import type { Shape, Value } from '../../ir/types.ts';
import { channelMultipliers } from '../convolution.ts';
import type { CallSpec, NodeView } from '../definition.ts';
import { packPairs } from '../dsp-product.ts';
import { multiplierConstants, scaleOf, zeroPointOf } from '../quantization.ts';
import { eachRow, planeOf, wholeTensor } from '../rows.ts';
import { optionalSlots } from '../update.ts';
import { bindBiasUpdate, frozenConstants } from './bind.ts';
import { inputFactors, weightFactors } from './factors.ts';

/** Why a convolution is not one of whole words, pixel by pixel; `weights` [O, kh, kw, I]. */
export function pointwiseProblem(
  { stride, padding }: ConvolutionAttributes,
  weights: Shape,
): string | undefined {
  const [outputs, kernelHeight, kernelWidth, depth] = weights as [number, number, number, number];
  if (kernelHeight !== 1 || kernelWidth !== 1) return 'the window is larger than 1x1';
  if (stride.some((s) => s !== 1) || padding.some((p) => p !== 0)) return 'pixels are left out or added';
  if (depth % 4 !== 0 || outputs % 2 !== 0) return 'channels do not come in fours and twos';
  return undefined;
}

/** As `frozenConstants`, in the order that rv_train_back and rv_dsp_direct read. */
function pairedConstants(
  weights: Value,
  trained: Value | null | undefined,
  channels: Value | null | undefined,
) {
  const { geometry, data } = frozenConstants(weights, trained, channels);
  const stream = geometry.frozen
    ? packPairs(data.weights.data as Int8Array, weights.shape[0]!)
    : new Int32Array(1);
  return { geometry, data: { stream: { role: 'weights', data: stream }, indices: data.indices } as const };
}

/** Most that a sum may be shifted right, so that what leaves 31 bits saturates: see rv_train_requantize. */
const MOST_SHIFT = 20;

/** Why four pixels at a time are none the better. */
export function columnsProblem({ attrs, ins }: NodeView<'trained_conv2d'>): string | undefined {
  const [x, weights, , trained] = ins;
  if (planeOf(x!.shape).width < 3) return 'rows are shorter than three pixels';
  if (trained && trained.shape[3]! % 4 !== 0) return 'trained channels do not come in fours';
  return pointwiseProblem(attrs, weights!.shape);
}

/** With room for four pixels as a column, and for those of the trained channels. */
export function bindColumns(view: NodeView<'trained_conv2d'>): CallSpec {
  const call = bindPointwiseForward(view);
  const { frozen, trained, in_channels } = call.geometry;
  return { ...call, scratchBytes: 8 * in_channels! + (frozen === 1 ? 12 * trained! : 0) };
}

export function bindPointwiseForward(view: NodeView<'trained_conv2d'>): CallSpec {
  const [x, weights, bias, trained, channels] = view.ins as [Value, Value, Value, Value?, Value?];
  const y = view.outs[0]!;
  const { geometry, data } = pairedConstants(weights, trained, channels);
  const { frozen, trained: count } = geometry;
  const output = eachRow(y);
  const firings = output.rows.length;
  const requantize = multiplierConstants(channelMultipliers(x, weights, y, weights.shape[0]!));
  const isFast =
    (requantize.shift.data as Int8Array).every((s) => -s >= 1 && -s <= MOST_SHIFT) &&
    (requantize.multiplier.data as Int32Array).every((m) => m > 0);
  return {
    geometry: {
      ...geometry,
      width: planeOf(y.shape).width,
      in_channels: weights.shape[3]!,
      out_channels: weights.shape[0]!,
      in_zero_point: zeroPointOf(x),
      out_zero_point: zeroPointOf(y),
      out_min: view.attrs.clamp[0],
      out_max: view.attrs.clamp[1],
      fast: Number(isFast),
    },
    data: { ...data, ...requantize },
    firings,
    slots: [
      { operand: 0, ...eachRow(x) },
      { operand: 2, ...wholeTensor(bias, firings) },
      ...(trained ? [{ operand: 3, ...wholeTensor(trained, firings) }] : []),
    ],
    output,
    scratchBytes: frozen ? 2 * count : 0,
  };
}

/** Why a gradient is not one of whole words, pixel by pixel. */
export function pointwiseGradientProblem({
  attrs,
  ins,
}: NodeView<'quantized_conv2d_input_gradient'>): string | undefined {
  const [g, , mask, weights] = ins;
  if (weights!.shape[0]! % 4 !== 0) return 'output channels do not come in fours';
  return pointwiseProblem(attrs, weights!.shape) ?? maskProblem(g!, mask);
}

function maskProblem(g: Value, mask: Value | null | undefined): string | undefined {
  const { width, channels } = planeOf(g.shape);
  return mask && (width * channels) % 8 !== 0 ? 'rows of the mask are not whole bytes' : undefined;
}

export function bindPointwiseGradient({ ins, outs }: NodeView<'quantized_conv2d_input_gradient'>): CallSpec {
  const [g, gScale, mask, weights, trained, channels, scale] = ins as [Value, Value, ...Value[]];
  const dx = outs[0]!;
  const { geometry, data } = pairedConstants(weights!, trained, channels);
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
      pixels: dx.shape[1]! * dx.shape[2]!,
      in_channels: dx.shape[3]!,
      out_channels: g.shape[3]!,
      factor_bits: bits,
      mask_slot: indices.mask,
      trained_slot: indices.weights,
    },
    data: { ...data, factors: { role: 'table', data: factors } },
    firings: 1,
    slots,
    output: wholeTensor(dx),
    scratchBytes: 8 * g.shape[3]!,
  };
}

/** Most bytes for the gradients of four channels. */
const MOST_GATHERED = 3584;

/** Bytes of the sums of four channels; the kernel has as many inputs at a time. */
const BLOCK_BYTES = 4 * 4 * 32;

/** Why an update is not one of whole words, pixel by pixel, with nothing but residuals. */
export function pointwiseUpdateProblem({ attrs, ins }: NodeView<'conv2d_update'>): string | undefined {
  const [x, g, , mask, , trained, , , , velocity, pending] = ins;
  const { stride, padding } = attrs;
  const [outputs, kernelHeight, kernelWidth, depth] = trained!.shape as [number, number, number, number];
  if (kernelHeight !== 1 || kernelWidth !== 1) return 'the window is larger than 1x1';
  if (stride.some((s) => s !== 1) || padding.some((p) => p !== 0)) return 'pixels are left out or added';
  if (depth % 4 !== 0 || outputs % 4 !== 0) return 'channels do not come in fours';
  if (velocity || pending) return 'steps are added up before they move a weight';
  const masked = maskProblem(g!, mask);
  if (masked !== undefined) return masked;
  const { height, width } = planeOf(x!.shape);
  return gatheredBytes(height * width) > MOST_GATHERED ? 'there are too many pixels' : undefined;
}

/** Bytes of the gradients of four channels, two pixels a word. */
function gatheredBytes(pixels: number): number {
  return 16 * Math.ceil(pixels / 2);
}

/** What `count` draws do to the state x of the generator: x * factor + addend, modulo 2^32. */
function draws(count: number): { factor: number; addend: number } {
  let [factor, addend] = [1, 0];
  for (let i = 0; i < count; ++i) {
    factor = Math.imul(factor, 1664525);
    addend = (Math.imul(addend, 1664525) + 1013904223) | 0;
  }
  return { factor, addend };
}

export function bindPointwiseUpdate({ attrs, ins, outs }: NodeView<'conv2d_update'>): CallSpec {
  const [x, g, gScale, mask, weights, trained, residual, random, rate] = ins as [Value, Value, ...Value[]];
  const { slots, indices } = optionalSlots({
    x: [0, x],
    g: [1, g],
    g_scale: [2, gScale],
    trained: [5, trained],
    random: [7, random],
    rate: [8, rate],
    mask: [3, mask],
    residual: [6, residual],
  });
  const { height, width, channels } = planeOf(x.shape);
  const outputs = g.shape[3]!;
  const { factor, addend } = draws(channels);
  return {
    geometry: {
      pixels: height * width,
      channels,
      out_channels: outputs,
      in_zero_point: zeroPointOf(x),
      residual_bits: attrs.residualBits,
      row_factor: factor,
      row_addend: addend,
      mask_slot: indices.mask,
      residual_slot: indices.residual,
    },
    data: {
      factors: { role: 'table', data: weightFactors(attrs.qas, scaleOf(x), weights!, outputs) },
    },
    firings: 1,
    slots,
    output: wholeTensor(outs[0]!),
    scratchBytes: BLOCK_BYTES + gatheredBytes(height * width),
  };
}

/** Why the gradient of a step of biases is not one of whole words. */
export function biasUpdateProblem({ ins }: NodeView<'bias_update'>): string | undefined {
  const [g, , mask] = ins;
  if (g!.shape.at(-1)! % 4 !== 0) return 'channels do not come in fours';
  return maskProblem(g!, mask);
}

export function bindBiasUpdateByFours(view: NodeView<'bias_update'>): CallSpec {
  const { scratchBytes: _, geometry, ...call } = bindBiasUpdate(view);
  const { height, width, ...kept } = geometry;
  return { ...call, geometry: { ...kept, pixels: height! * width! } };
}
