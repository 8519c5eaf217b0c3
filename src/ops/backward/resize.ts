import type { ResizeAttributes } from '../../ir/attributes.ts';
import type { Value } from '../../ir/types.ts';
import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import {
  exponentOf,
  gradientProblem,
  gradientScaleProblem,
  incomingProblem,
  LARGEST_ACCUMULATOR,
  storeGradient,
  wholeSlot,
} from '../gradient.ts';
import { firstProblem } from '../quantization.ts';
import { resizeBilinear, resizeNearest } from '../resize/op.ts';
import { bilinearPositions, nearestPositions } from '../resize/positions.ts';
import { planeOf, wholeTensor } from '../rows.ts';

type ResizeGradient = 'quantized_resize_nearest_gradient' | 'quantized_resize_bilinear_gradient';

/** What an output row or column takes of those of the input, in 1/1024. */
type Shares = ReadonlyMap<number, number>;

/** How one axis was resized: the shares of every output index. */
type Axis = (attrs: ResizeAttributes, input: number, output: number) => readonly Shares[];

/** Both axes, in units of 2^-bits. */
interface Interpolation {
  readonly rows: readonly Shares[];
  readonly columns: readonly Shares[];
  /** Less than 0 where even whole numbers leave int32. */
  readonly bits: number;
}

/** Weights of interpolation have 10 bits. */
const WEIGHT_BITS = 10;

const nearest: Axis = (attrs, input, output) =>
  Array.from(nearestPositions(attrs, input, output), (index) => new Map([[index, 1 << WEIGHT_BITS]]));

/** Beyond a border both neighbours are the same. */
const bilinear: Axis = (attrs, input, output) => {
  const { low, high, weight } = bilinearPositions(attrs, input, output);
  return Array.from(weight, (share, i) => {
    const [first, second] = [low[i]!, high[i]!];
    const one = 1 << WEIGHT_BITS;
    if (first === second || share === 0) return new Map([[first, one]]);
    return new Map([
      [first, one - share],
      [second, share],
    ]);
  });
};

/** Operands: g, its scale, scale of the result. */
export const quantizedResizeNearestGradient = resizeGradient(
  'quantized_resize_nearest_gradient',
  nearest,
  (attrs, ins, outs) => resizeNearest.verify({ attrs, ins, outs }),
  0,
);

/** Operands: g, its scale, scale of the result. */
export const quantizedResizeBilinearGradient = resizeGradient(
  'quantized_resize_bilinear_gradient',
  bilinear,
  (attrs, ins, outs) => resizeBilinear.verify({ attrs, ins, outs }),
  WEIGHT_BITS,
);

function resizeGradient<K extends ResizeGradient>(
  name: K,
  axis: Axis,
  verifyForward: (attrs: ResizeAttributes, ins: Value[], outs: Value[]) => Problem | undefined,
  mostBits: number,
): OpDef<K> {
  const interpolation = (attrs: ResizeAttributes, dx: Pick<Value, 'shape'>, g: Pick<Value, 'shape'>) =>
    interpolationOf(
      axis(attrs, dx.shape[1]!, g.shape[1]!),
      axis(attrs, dx.shape[2]!, g.shape[2]!),
      [dx.shape[1]!, dx.shape[2]!],
      mostBits,
    );
  return {
    name,
    verify(view: NodeView<ResizeGradient>) {
      const { attrs, ins, outs } = view;
      const [g, dx] = [ins[0], outs[0]!];
      const problem = problemOf(view) ?? verifyForward(attrs, [quantized(dx)], [quantized(g!)]);
      if (problem) return problem;
      if (interpolation(attrs, dx, g!).bits >= 0) return undefined;
      return { code: 'RV2006', message: `[${dx.shape}] resized to [${g!.shape}]: sums leave 32 bits` };
    },
    mutates: [2],
    macs: () => 0,
    reference: ({ attrs, ins, outs }: ReferenceView<ResizeGradient>) =>
      reference(interpolation(attrs, outs[0]!, ins[0]!), { attrs, ins, outs }),
    kernels: [
      {
        name: 'resize_gradient_s8',
        isa: 'portable',
        why: 'the shares of a pixel in the rows and columns of the result',
        refuses: () => undefined,
        bind: ({ attrs, ins, outs }: NodeView<ResizeGradient>) => [
          bind(interpolation(attrs, outs[0]!, ins[0]!), { attrs, ins, outs }),
        ],
      },
    ],
  };
}

function problemOf({ ins, outs }: NodeView<ResizeGradient>): Problem | undefined {
  const [g, gScale, scale] = ins;
  const dx = outs[0]!;
  if (!g) return { code: 'RV2005', message: 'the gradient is missing' };
  return firstProblem(
    incomingProblem([g, gScale, null], g),
    gradientProblem(dx, dx.shape),
    gradientScaleProblem(scale),
  );
}

/** An activation that a gradient could be of. */
function quantized(gradient: Value): Value {
  return { ...gradient, quantization: { scales: [1], zeroPoints: [0], axis: 0 } };
}

/** As many bits as leave the sums of all shares of a pixel, times an int8, below `LARGEST_ACCUMULATOR`. */
function interpolationOf(
  rows: readonly Shares[],
  columns: readonly Shares[],
  [height, width]: readonly [number, number],
  mostBits: number,
): Interpolation {
  for (let bits = mostBits; ; --bits) {
    const rounded = [rows, columns].map((axis) => axis.map((shares) => inBits(shares, bits)));
    const [ofRows, ofColumns] = rounded as [Shares[], Shares[]];
    const fits = 128 * largestSum(ofRows, height) * largestSum(ofColumns, width) < LARGEST_ACCUMULATOR;
    if (fits || bits < 0) return { rows: ofRows, columns: ofColumns, bits: fits ? bits : -1 };
  }
}

function inBits(shares: Shares, bits: number): Shares {
  return new Map([...shares].map(([index, share]) => [index, Math.round(share * 2 ** (bits - WEIGHT_BITS))]));
}

/** The largest sum of absolute shares of an input index. */
function largestSum(axis: readonly Shares[], inputs: number): number {
  return shareholders(axis, inputs).reduce(
    (most, shares) =>
      Math.max(
        most,
        shares.reduce((sum, [, share]) => sum + Math.abs(share), 0),
      ),
    0,
  );
}

/** By input index: the output indices that take a share of it. */
function shareholders(axis: readonly Shares[], inputs: number): [output: number, share: number][][] {
  const lists = Array.from({ length: inputs }, (): [number, number][] => []);
  axis.forEach((shares, output) => {
    for (const [index, share] of shares) if (share !== 0) lists[index]!.push([output, share]);
  });
  return lists;
}

/** A = sum of g * share of the row * share of the column; exponent that of g less the bits of both. */
function reference(
  { rows, columns, bits }: Interpolation,
  { ins, outs }: ReferenceView<ResizeGradient>,
): void {
  const [g, gScale, scale] = ins;
  const dx = outs[0]!;
  const [, , width, channels] = dx.shape as [number, number, number, number];
  const accumulators = new Int32Array(dx.data.length);
  let i = 0;
  for (const ofRow of rows) {
    for (const ofColumn of columns) {
      for (let c = 0; c < channels; ++c, ++i) {
        for (const [row, down] of ofRow) {
          for (const [column, across] of ofColumn) {
            const at = (row * width + column) * channels + c;
            accumulators[at] = accumulators[at]! + Number(g!.data[i]!) * down * across;
          }
        }
      }
    }
  }
  storeGradient(accumulators, exponentOf(gScale!) - 2 * bits, dx, scale!);
}

function bind({ rows, columns, bits }: Interpolation, { ins, outs }: NodeView<ResizeGradient>): CallSpec {
  const [from, to] = [planeOf(ins[0]!.shape), planeOf(outs[0]!.shape)];
  const [ofRows, ofColumns] = [shareholders(rows, to.height), shareholders(columns, to.width)];
  const table = (data: Int16Array | Int32Array) => ({ role: 'table', data }) as const;
  return {
    geometry: {
      height: to.height,
      width: to.width,
      channels: to.channels,
      in_width: from.width,
      fraction: 2 * bits,
    },
    data: {
      row_ends: table(endsOf(ofRows)),
      row_shares: table(Int16Array.from(ofRows.flat(2))),
      column_ends: table(endsOf(ofColumns)),
      column_shares: table(Int16Array.from(ofColumns.flat(2))),
    },
    firings: 1,
    slots: [0, 1, 2].map((operand) => wholeSlot(ins, operand)),
    output: wholeTensor(outs[0]!),
  };
}

function endsOf(lists: readonly (readonly unknown[])[]): Int32Array {
  const ends = new Int32Array(lists.length);
  lists.forEach((list, i) => {
    ends[i] = (ends[i - 1] ?? 0) + list.length;
  });
  return ends;
}
