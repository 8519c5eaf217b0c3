/** What AVERAGE_POOL_2D and MAX_POOL_2D have in common. docs/numerics.md, section 4. */
import type { Pair } from '../ir/attributes.ts';
import { sameQuantizationProblem } from './bytes.ts';
import { windowShape } from './convolution.ts';
import type { CallSpec, NodeView, Problem, ReferenceView } from './definition.ts';
import type { ImportContext } from './import-context.ts';
import { int8Problem } from './quantization.ts';
import { eachRow, planeOf, windowSlots } from './rows.ts';
import { sameShape } from './strided.ts';
import { windowProblem } from './window.ts';

type PoolName = 'average_pool2d' | 'max_pool2d';

const ONE: Pair = [1, 1];
/** Raw int8 values whose sum is far inside int32. */
const MAX_WINDOW = 1 << 23;

export function poolProblem({ attrs, ins, outs }: NodeView<PoolName>): Problem | undefined {
  const [x, y] = [ins[0], outs[0]!];
  if (!x) return { code: 'RV2005', message: 'the input is missing' };
  const operands = int8Problem(x, 'the input') ?? int8Problem(y, 'the output');
  if (operands) return operands;
  const rescaling = sameQuantizationProblem(x, y, 'the input', 'the output');
  if (rescaling) return rescaling;
  if (x.shape.length !== 4 || y.shape.length !== 4) {
    return { code: 'RV2005', message: 'input and output need four dimensions' };
  }
  const { kernel, padding } = attrs;
  const window = windowProblem(attrs, kernel, ONE, y);
  if (window) return window;
  if (kernel[0] * kernel[1] > MAX_WINDOW) {
    return { code: 'RV2002', message: `the window [${kernel}] has more than ${MAX_WINDOW} elements` };
  }
  if (Math.max(padding[0], padding[1]) >= kernel[0] || Math.max(padding[2], padding[3]) >= kernel[1]) {
    return { code: 'RV2002', message: `padding [${padding}] leaves windows [${kernel}] without an element` };
  }
  const expected = [x.shape[0]!, ...windowShape(x, kernel, attrs.stride, ONE, padding), x.shape[3]!];
  if (!sameShape(expected, y.shape)) {
    return {
      code: 'RV2005',
      message: `the output is [${y.shape}] where [${expected}] follows from the input`,
    };
  }
  return undefined;
}

/** Calls `window` for every output element with the raw input values under it, never none. */
export function forEachWindow(
  { attrs, ins, outs }: ReferenceView<PoolName>,
  window: (values: readonly number[], out: number) => void,
): void {
  const [x, y] = [ins[0]!, outs[0]!];
  const [, inHeight, inWidth, channels] = x.shape as [number, number, number, number];
  const [batch, outHeight, outWidth] = y.shape as [number, number, number, number];
  const input = x.data as Int8Array;
  let out = 0;
  for (let n = 0; n < batch; ++n) {
    for (let oy = 0; oy < outHeight; ++oy) {
      for (let ox = 0; ox < outWidth; ++ox) {
        const rows = span(oy * attrs.stride[0] - attrs.padding[0], attrs.kernel[0], inHeight);
        const columns = span(ox * attrs.stride[1] - attrs.padding[2], attrs.kernel[1], inWidth);
        for (let c = 0; c < channels; ++c) {
          const at = (iy: number, ix: number): number =>
            input[((n * inHeight + iy) * inWidth + ix) * channels + c]!;
          window(
            rows.flatMap((iy) => columns.map((ix) => at(iy, ix))),
            out++,
          );
        }
      }
    }
  }
}

/** Positions first, first + 1, ... of a window that lie in [0, size). */
function span(first: number, length: number, size: number): number[] {
  return Array.from({ length }, (_, k) => first + k).filter((position) => position >= 0 && position < size);
}

/** The call of a kernel that takes all rows of a window at once. */
export function bindWindow(view: NodeView<PoolName>): CallSpec {
  const { attrs } = view;
  const [x, y] = [view.ins[0]!, view.outs[0]!];
  return {
    geometry: {
      in_width: planeOf(x.shape).width,
      channels: planeOf(x.shape).channels,
      out_width: planeOf(y.shape).width,
      kernel_height: attrs.kernel[0],
      kernel_width: attrs.kernel[1],
      stride: attrs.stride[1],
      pad_left: attrs.padding[2],
      out_min: attrs.clamp[0],
      out_max: attrs.clamp[1],
    },
    data: {},
    firings: eachRow(y).rows.length,
    slots: windowSlots(x, y, {
      kernelHeight: attrs.kernel[0],
      stride: attrs.stride,
      dilation: ONE,
      top: attrs.padding[0],
    }),
    output: eachRow(y),
  };
}

interface PoolOptions {
  readonly padding: string;
  readonly strideW: number;
  readonly strideH: number;
  readonly filterWidth: number;
  readonly filterHeight: number;
  readonly activation: string;
}

/** Adds the pool `op` that `options` describe. */
export function importPool(op: PoolName, options: PoolOptions, context: ImportContext): void {
  const x = context.operand(0);
  const kernel: Pair = [options.filterHeight, options.filterWidth];
  const stride: Pair = [options.strideH, options.strideW];
  const size: Pair = [x.shape[1] ?? 0, x.shape[2] ?? 0];
  context.node(
    op,
    {
      kernel,
      stride,
      padding: context.padding(options.padding, size, kernel, stride, ONE),
      clamp: context.activationClamp(options.activation, context.result()),
    },
    [x],
  );
}
