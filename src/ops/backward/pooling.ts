/** What the gradients of both pools have in common. */
import type { PoolAttributes } from '../../ir/attributes.ts';
import type { TensorType, Value } from '../../ir/types.ts';
import type { Problem } from '../definition.ts';
import { gradientProblem, gradientScaleProblem, incomingProblem } from '../gradient.ts';
import { poolProblem } from '../pooling.ts';
import { firstProblem } from '../quantization.ts';
import { planeOf } from '../rows.ts';

/** The problem with operands g, its scale, mask?, scale of the result, and the gradient of an image. */
export function poolGradientProblem(
  attrs: PoolAttributes,
  [g, gScale, mask, scale]: readonly (Value | null | undefined)[],
  dx: Value,
): Problem | undefined {
  if (!g) return { code: 'RV2005', message: 'the gradient is missing' };
  return (
    firstProblem(
      incomingProblem([g, gScale, mask], g),
      gradientScaleProblem(scale),
      gradientProblem(dx, dx.shape),
    ) ?? forwardProblem(attrs, dx, g)
  );
}

/** The problem with a pool from an activation of the type of `x` to one of `y`, in shapes alone. */
function forwardProblem(attrs: PoolAttributes, x: Value, y: Value): Problem | undefined {
  const quantization = { scales: [1], zeroPoints: [0], axis: 0 };
  return poolProblem({ attrs, ins: [{ ...x, quantization }], outs: [{ ...y, quantization }] });
}

/** Geometry from the gradient of the pool's result to that of its input. */
export function poolGeometry({ kernel, stride, padding }: PoolAttributes, g: TensorType, dx: TensorType) {
  const [from, to] = [planeOf(g.shape), planeOf(dx.shape)];
  return {
    channels: to.channels,
    in_height: from.height,
    in_width: from.width,
    out_height: to.height,
    out_width: to.width,
    kernel_height: kernel[0],
    kernel_width: kernel[1],
    stride_y: stride[0],
    stride_x: stride[1],
    pad_top: padding[0],
    pad_left: padding[2],
  };
}

/** Pixels of the image [1, H, W, C] under the window of output pixel `output`, row by row. */
export function pixelsUnder(
  { kernel, stride, padding }: PoolAttributes,
  dx: TensorType,
  g: TensorType,
  output: number,
): number[] {
  const [, height, width] = dx.shape as [number, number, number];
  const outWidth = g.shape[2]!;
  const top = Math.floor(output / outWidth) * stride[0] - padding[0];
  const left = (output % outWidth) * stride[1] - padding[2];
  const pixels: number[] = [];
  for (let y = Math.max(0, top); y < Math.min(height, top + kernel[0]); ++y) {
    for (let x = Math.max(0, left); x < Math.min(width, left + kernel[1]); ++x) pixels.push(y * width + x);
  }
  return pixels;
}
