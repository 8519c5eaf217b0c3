/** The meaning of convolutions that learn. docs/training-numerics.md has the arithmetic. */
import type { ConvolutionAttributes } from '../../ir/attributes.ts';
import { conv2dReference } from '../conv2d/reference.ts';
import type { ReferenceView, Tensor } from '../definition.ts';
import { exponentOf, maskedGradient, storeGradient } from '../gradient.ts';
import { scaleOf, zeroPointOf } from '../quantization.ts';
import { Update } from '../update.ts';
import { biasFactors, inputFactors, weightFactors } from './factors.ts';

/** All weights [O, kh, kw, I] as they are now. */
export function effectiveWeights(
  weights: Tensor,
  trained: Tensor | null,
  channels: Tensor | null,
): Int8Array {
  const now = Int8Array.from(weights.data as Int8Array);
  if (trained === null) return now;
  const depth = weights.shape[3]!;
  const count = trained.shape[3]!;
  trained.data.forEach((w: number | bigint, i: number) => {
    const channel = channels === null ? i % count : Number(channels.data[i % count]);
    now[Math.floor(i / count) * depth + channel] = Number(w);
  });
  return now;
}

export function forwardReference({ attrs, ins, outs }: ReferenceView<'trained_conv2d'>): void {
  const [x, weights, bias, trained, channels] = ins;
  const data = effectiveWeights(weights!, trained ?? null, channels ?? null);
  conv2dReference({ attrs, ins: [x!, { ...weights!, data }, bias!], outs });
}

/** Calls `visit` with output pixel, row and column of the window, and input pixel, for every tap inside the image. */
function eachTap(
  { stride, padding, dilation }: ConvolutionAttributes,
  [height, width]: readonly [number, number],
  [kernelHeight, kernelWidth]: readonly [number, number],
  [outHeight, outWidth]: readonly [number, number],
  visit: (outPixel: number, ky: number, kx: number, inPixel: number) => void,
): void {
  for (let oy = 0; oy < outHeight; ++oy)
    for (let ox = 0; ox < outWidth; ++ox)
      for (let ky = 0; ky < kernelHeight; ++ky)
        for (let kx = 0; kx < kernelWidth; ++kx) {
          const iy = oy * stride[0] - padding[0] + ky * dilation[0];
          const ix = ox * stride[1] - padding[2] + kx * dilation[1];
          if (iy >= 0 && iy < height && ix >= 0 && ix < width)
            visit(oy * outWidth + ox, ky, kx, iy * width + ix);
        }
}

export function inputGradientReference({
  attrs,
  ins,
  outs,
}: ReferenceView<'quantized_conv2d_input_gradient'>): void {
  const [g, gScale, mask, weights, trained, channels, scale] = ins;
  const dx = outs[0]!;
  const w = effectiveWeights(weights!, trained ?? null, channels ?? null);
  const { factors, bits } = inputFactors(weights!);
  const gm = maskedGradient(g!, mask);
  const [outputs, kh, kw, depth] = weights!.shape as [number, number, number, number];
  const sums = new Float64Array(dx.data.length);
  const [, height, width] = dx.shape as [number, number, number];
  const [, outHeight, outWidth] = g!.shape as [number, number, number];
  eachTap(attrs, [height, width], [kh, kw], [outHeight, outWidth], (out, ky, kx, pixel) => {
    for (let o = 0; o < outputs; ++o) {
      const a = gm[out * outputs + o]! * factors[o]!;
      const row = ((o * kh + ky) * kw + kx) * depth;
      if (a !== 0) for (let c = 0; c < depth; ++c) sums[pixel * depth + c]! += a * w[row + c]!;
    }
  });
  storeGradient(sums, exponentOf(gScale!) - bits, dx, scale!);
}

export function updateReference({ attrs, ins, outs }: ReferenceView<'conv2d_update'>): void {
  const [x, g, gScale, mask, weights, trained, residual, random, rate, velocity, pending, apply] = ins;
  const { residualBits, momentum } = attrs;
  const state = {
    velocity: velocity ?? null,
    pending: pending ?? null,
    apply: apply ?? null,
    random: random!,
  };
  const update = new Update({ ...state, momentum, fraction: residualBits });
  const gm = maskedGradient(g!, mask);
  const [outputs, kh, kw, count] = trained!.shape as [number, number, number, number];
  const sums = new Float64Array(trained!.data.length);
  const zero = zeroPointOf(x!);
  const [, height, width] = x!.shape as [number, number, number];
  const [, outHeight, outWidth] = g!.shape as [number, number, number];
  eachTap(attrs, [height, width], [kh, kw], [outHeight, outWidth], (out, ky, kx, pixel) => {
    for (let o = 0; o < outputs; ++o) {
      const a = gm[out * outputs + o]!;
      const row = ((o * kh + ky) * kw + kx) * count;
      if (a !== 0)
        for (let j = 0; j < count; ++j) sums[row + j]! += a * (Number(x!.data[pixel * count + j]) - zero);
    }
  });
  const factors = weightFactors(attrs.qas, scaleOf(x!), weights!, outputs);
  const rowSize = kh * kw * count;
  for (let o = 0; o < outputs; ++o) {
    const step = update.step(Number(rate!.data[0]), factors[o]!, exponentOf(gScale!));
    if (step === undefined) continue;
    for (let i = o * rowSize; i < (o + 1) * rowSize; ++i)
      update.moveWeight(trained!, residual ?? null, i, update.movement(i, sums[i]!, step));
  }
  outs[0]!.data[0] = update.clamped;
}

/** Biases stay within this. */
const LARGEST_BIAS = 2 ** 30;

export function biasUpdateReference({ attrs, ins, outs }: ReferenceView<'bias_update'>): void {
  const [g, gScale, mask, weights, bias, random, rate, velocity, pending, apply] = ins;
  const state = {
    velocity: velocity ?? null,
    pending: pending ?? null,
    apply: apply ?? null,
    random: random!,
  };
  const update = new Update({ ...state, momentum: attrs.momentum, fraction: 0 });
  const gm = maskedGradient(g!, mask);
  const count = g!.shape.at(-1)!;
  const factors = biasFactors(attrs.qas, attrs.inputScale, weights!, count);
  let clamped = 0;
  for (let o = 0; o < count; ++o) {
    const step = update.step(Number(rate!.data[0]), factors[o]!, exponentOf(gScale!));
    if (step === undefined) continue;
    let sum = 0;
    for (let i = o; i < gm.length; i += count) sum += gm[i]!;
    const moved = Number(bias!.data[o]) + update.movement(o, sum, step);
    const bounded = Math.max(-LARGEST_BIAS, Math.min(LARGEST_BIAS, moved));
    clamped += Number(bounded !== moved);
    bias!.data[o] = bounded;
  }
  outs[0]!.data[0] = clamped;
}
