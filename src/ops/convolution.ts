/** What CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV have in common. docs/numerics.md, section 2. */
import type { Padding, Pair } from '../ir/attributes.ts';
import type { TensorType, Value } from '../ir/types.ts';
import type { KernelConstant, Problem } from './definition.ts';
import { int8Problem, isPerTensor, multiplierConstants, multiplierProblem, scaleOf } from './quantization.ts';

/** Output size of a forward window: floor((in + padding - effective kernel) / stride) + 1. */
export function windowOutput(
  size: number,
  kernel: number,
  stride: number,
  dilation: number,
  before: number,
  after: number,
): number {
  return Math.floor((size + before + after - ((kernel - 1) * dilation + 1)) / stride) + 1;
}

/** Height and width after a window; both must be at least 1. */
export function windowShape(
  input: TensorType,
  kernel: Pair,
  stride: Pair,
  dilation: Pair,
  padding: Padding,
): Pair {
  return [
    windowOutput(input.shape[1]!, kernel[0], stride[0], dilation[0], padding[0], padding[1]),
    windowOutput(input.shape[2]!, kernel[1], stride[1], dilation[1], padding[2], padding[3]),
  ];
}

/** Checks operand types of a convolution whose weights have `channels` output channels along `axis`. */
export function convolutionProblem(
  ins: readonly (Value | null)[],
  output: TensorType,
  axis: number,
): Problem | undefined {
  const [x, weights, bias] = ins;
  if (!x || !weights) return { code: 'RV2005', message: 'the input or the weights are missing' };
  const activation = int8Problem(x, 'the input') ?? int8Problem(output, 'the output');
  if (activation) return activation;
  const channels = weights.shape[axis]!;
  return (
    weightsProblem(weights, axis) ??
    biasProblem(bias ?? null, channels) ??
    multiplierProblem(channelMultipliers(x, weights, output, channels))
  );
}

/** Weights: constant symmetric int8, one scale or one per output channel along `axis`. */
export function weightsProblem(weights: Value, axis: number): Problem | undefined {
  if (weights.role !== 'const') {
    return {
      code: 'RV2008',
      message: 'the weights are computed by the model',
      hint: 'weights must be constant',
    };
  }
  if (weights.dtype !== 'int8') {
    return {
      code: 'RV2003',
      message: `the weights are ${weights.dtype}, not int8`,
      hint: 'convert the model with full integer quantisation',
    };
  }
  const quantization = weights.quantization;
  if (quantization === undefined) return { code: 'RV2004', message: 'the weights have no scale' };
  const { scales, zeroPoints } = quantization;
  if (scales.length !== 1 && (scales.length !== weights.shape[axis] || quantization.axis !== axis)) {
    return {
      code: 'RV2004',
      message: `the weights have ${scales.length} scales along axis ${quantization.axis}, expected 1 or ${weights.shape[axis]} along axis ${axis}`,
    };
  }
  const bad = scales.find((scale) => !(scale >= 0 && Number.isFinite(scale)));
  if (bad !== undefined) return { code: 'RV2004', message: `the weights have a scale of ${bad}` };
  if (zeroPoints.some((z) => z !== 0)) {
    return { code: 'RV2004', message: 'the weights have a zero point other than 0' };
  }
  return undefined;
}

export function biasProblem(bias: Value | null, channels: number): Problem | undefined {
  if (bias === null) return undefined;
  if (bias.role !== 'const' || bias.data === undefined)
    return { code: 'RV2008', message: 'the bias is computed by the model' };
  if (bias.dtype !== 'int32') return { code: 'RV2003', message: `the bias is ${bias.dtype}, not int32` };
  if (bias.data.length !== channels) {
    return { code: 'RV2005', message: `the bias has ${bias.data.length} elements for ${channels} channels` };
  }
  return undefined;
}

/** m[c] = (S_in * S_w[c]) / S_out, each scale widened to double first. */
export function channelMultipliers(
  input: TensorType,
  weights: TensorType,
  output: TensorType,
  channels: number,
): number[] {
  const scales = weights.quantization!.scales;
  return Array.from(
    { length: channels },
    (_, c) => (scaleOf(input) * scales[isPerTensor(weights) ? 0 : c]!) / scaleOf(output),
  );
}

/** Bias as int32[channels], zeros where the model has none. */
export function biasOf(
  bias: (TensorType & { data?: unknown }) | null | undefined,
  channels: number,
): Int32Array {
  return (bias?.data as Int32Array | undefined) ?? new Int32Array(channels);
}

/** The data struct every convolution kernel takes: weights, bias, multiplier, shift. */
export function convolutionData(
  input: TensorType,
  weights: Value,
  bias: Value | null | undefined,
  output: TensorType,
  channels: number,
): Record<'weights' | 'bias' | 'multiplier' | 'shift', KernelConstant> {
  return {
    weights: { role: 'weights', data: weights.data! },
    bias: { role: 'weights', data: biasOf(bias, channels) },
    ...multiplierConstants(channelMultipliers(input, weights, output, channels)),
  };
}

/**
 * bias[c] - Z_in * sum of w[c], weights [channels][taps]: lets a kernel multiply raw input values where every tap is inside
 * the image, or padding holds the zero point.
 */
export function foldZeroPoint(bias: Int32Array, weights: Int8Array, zeroPoint: number): Int32Array {
  const taps = weights.length / bias.length;
  return bias.map((b, c) => {
    const sum = weights.subarray(c * taps, (c + 1) * taps).reduce((total, w) => total + w, 0);
    return (b - zeroPoint * sum) | 0;
  });
}
