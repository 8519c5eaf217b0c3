/** Pools and their gradients on float32. */
import type { GradientWindow, PoolAttributes } from '../ir/attributes.ts';
import type { Shape, Value } from '../ir/types.ts';
import { at } from './conv2d/float.ts';
import type { NodeView, OpDef, Problem, ReferenceView } from './definition.ts';
import { type FloatMeaning, floatKernel, operandsProblem, twin, UNBOUNDED } from './float.ts';
import { poolProblem } from './pooling.ts';
import { clampReal, forEachTap } from './taps.ts';

type Pool = 'average_pool2d' | 'max_pool2d';
type Windows = Omit<PoolAttributes, 'clamp'>;

export function poolFloat<K extends Pool>(name: K): FloatMeaning<K> {
  return {
    reference({ attrs, ins, outs }: ReferenceView<Pool>) {
      const [x, y] = [ins[0]!, outs[0]!];
      const channels = y.shape[3]!;
      forEachWindow(x.shape, y.shape, attrs, (pixels, window) => {
        for (let c = 0; c < channels; ++c) {
          const values = pixels.map((pixel) => at(x, pixel * channels + c));
          const sum = values.reduce((total, value) => total + value, 0);
          const result = name === 'max_pool2d' ? Math.max(...values) : sum / values.length;
          y.data[window * channels + c] = clampReal(result, attrs.clamp);
        }
      });
    },
    kernels: [
      floatKernel<K>(`${name}_f32`, 'any window', ({ attrs, ins, outs }) => ({
        geometry: poolGeometry(attrs, ins[0]!.shape, outs[0]!.shape),
        data: { bounds: attrs.clamp },
      })),
    ],
  };
}

export const averagePool2dGradient: OpDef<'average_pool2d_gradient'> = {
  name: 'average_pool2d_gradient',
  verify: (view) => operandsProblem(view, 1) ?? forwardProblem(view.attrs, view.outs[0]!, view.ins[0]!),
  macs: () => 0,
  reference({ attrs, ins, outs }) {
    const [dy, dx] = [ins[0]!, outs[0]!];
    const channels = dy.shape[3]!;
    dx.data.fill(0 as never);
    forEachWindow(dx.shape, dy.shape, attrs, (pixels, window) => {
      for (const pixel of pixels) {
        for (let c = 0; c < channels; ++c) {
          dx.data[pixel * channels + c] =
            at(dx, pixel * channels + c) + at(dy, window * channels + c) / pixels.length;
        }
      }
    });
  },
  kernels: [
    floatKernel('average_pool2d_gradient_f32', 'any window', ({ attrs, ins, outs }) => ({
      geometry: poolGeometry(attrs, outs[0]!.shape, ins[0]!.shape),
    })),
  ],
};

export const maxPool2dGradient: OpDef<'max_pool2d_gradient'> = {
  name: 'max_pool2d_gradient',
  verify: (view) =>
    operandsProblem(view, 2) ??
    forwardProblem(view.attrs, view.ins[0]!, view.ins[1]!) ??
    forwardProblem(view.attrs, view.outs[0]!, view.ins[1]!),
  macs: () => 0,
  reference({ attrs, ins, outs }) {
    const [x, dy, dx] = [ins[0]!, ins[1]!, outs[0]!];
    const channels = dy.shape[3]!;
    dx.data.fill(0 as never);
    forEachWindow(x.shape, dy.shape, attrs, (pixels, window) => {
      for (let c = 0; c < channels; ++c) {
        const places = pixels.map((pixel) => pixel * channels + c);
        const best = places.reduce((most, place) => (at(x, place) > at(x, most) ? place : most));
        dx.data[best] = at(dx, best) + at(dy, window * channels + c);
      }
    });
  },
  kernels: [
    floatKernel('max_pool2d_gradient_f32', 'any window', ({ attrs, ins }) => ({
      geometry: poolGeometry(attrs, ins[0]!.shape, ins[1]!.shape),
    })),
  ],
};

function forwardProblem(attrs: Windows, x: Value, y: Value): Problem | undefined {
  const view: NodeView<Pool> = { attrs: { ...attrs, clamp: UNBOUNDED }, ins: [x], outs: [y] };
  return poolProblem(twin(view));
}

function poolGeometry({ kernel, stride, padding }: Windows, x: Shape, y: Shape): Record<string, number> {
  return {
    batch: x[0]!,
    in_height: x[1]!,
    in_width: x[2]!,
    channels: x[3]!,
    out_height: y[1]!,
    out_width: y[2]!,
    kernel_height: kernel[0],
    kernel_width: kernel[1],
    stride_y: stride[0],
    stride_x: stride[1],
    pad_top: padding[0],
    pad_left: padding[2],
  };
}

/** Calls `visit` with the pixels of every window, which are never none. */
function forEachWindow(
  x: Shape,
  y: Shape,
  { kernel, stride, padding }: Windows,
  visit: (pixels: readonly number[], window: number) => void,
): void {
  const found: number[][] = [];
  const attrs: GradientWindow = { stride, padding, dilation: [1, 1] };
  forEachTap(x, y, kernel, attrs, (pixel, window) => {
    found[window] = [...(found[window] ?? []), pixel];
  });
  found.forEach(visit);
}
