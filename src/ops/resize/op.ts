import { clamp } from '../../core/fixedpoint.ts';
import { movedBytesProblem } from '../bytes.ts';
import type { NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { firstProblem, int8Problem } from '../quantization.ts';
import { stridesOf } from '../strided.ts';
import { resizeBilinearKernels, resizeNearestKernels } from './kernels.ts';
import { bilinearPosition, bilinearPositions, nearestPositions } from './positions.ts';

export const resizeNearest: OpDef<'resize_nearest'> = {
  name: 'resize_nearest',
  verify: ({ ins, outs }) => resizeProblem(ins[0], outs[0]),
  macs: () => 0,
  reference: nearestReference,
  kernels: resizeNearestKernels,
};

export const resizeBilinear: OpDef<'resize_bilinear'> = {
  name: 'resize_bilinear',
  verify: bilinearProblem,
  macs: () => 0,
  reference: bilinearReference,
  kernels: resizeBilinearKernels,
};

/** Kernels keep positions and weights in 16 bits. */
const MAX_SIZE = 32767;

type Operand = NodeView<'resize_nearest'>['ins'][number] | undefined;

function resizeProblem(x: Operand, y: Operand): Problem | undefined {
  if (!x || !y) return { code: 'RV2005', message: 'an operand is missing' };
  const fits =
    x.shape.length === 4 && y.shape.length === 4 && x.shape[0] === y.shape[0] && x.shape[3] === y.shape[3];
  if (!fits) return { code: 'RV2005', message: `[${x.shape}] cannot be resized to [${y.shape}]` };
  if ([...x.shape, ...y.shape].some((size) => size > MAX_SIZE)) {
    return { code: 'RV2002', message: `resizing is limited to ${MAX_SIZE} rows, columns and channels` };
  }
  return movedBytesProblem(x, y);
}

function bilinearProblem({ attrs, ins, outs }: NodeView<'resize_bilinear'>): Problem | undefined {
  const problem = resizeProblem(ins[0], outs[0]);
  if (problem) return problem;
  const [x, y] = [ins[0]!, outs[0]!];
  if (attrs.alignCorners && attrs.halfPixelCenters) {
    return { code: 'RV2002', message: 'aligned corners and half-pixel centres exclude each other' };
  }
  for (const d of [1, 2]) {
    const [input, output] = [x.shape[d]!, y.shape[d]!];
    if (bilinearPosition(attrs, input, output, output - 1) >= 1024 * input) {
      return {
        code: 'RV2002',
        message: `resizing ${input} to ${output} exceeds the precision of fixed-point interpolation`,
      };
    }
  }
  return firstProblem(int8Problem(x, 'the input'), int8Problem(y, 'the output'));
}

function nearestReference({ attrs, ins, outs }: ReferenceView<'resize_nearest'>): void {
  const [x, y] = [ins[0]!, outs[0]!];
  const [batch, inHeight, inWidth, channels] = x.shape as [number, number, number, number];
  const rows = nearestPositions(attrs, inHeight, y.shape[1]!);
  const columns = nearestPositions(attrs, inWidth, y.shape[2]!);
  let out = 0;
  for (let n = 0; n < batch; ++n) {
    for (const row of rows) {
      for (const column of columns) {
        const from = ((n * inHeight + row) * inWidth + column) * channels;
        for (let c = 0; c < channels; ++c) y.data[out++] = x.data[from + c]!;
      }
    }
  }
}

/** The sum of four raw values, each times two weights in 1/1024, divided by 2^20 with halves away from zero. */
function bilinearReference({ attrs, ins, outs }: ReferenceView<'resize_bilinear'>): void {
  const [x, y] = [ins[0]!, outs[0]!];
  const input = x.data as Int8Array;
  const [batch, inHeight, inWidth, channels] = x.shape as [number, number, number, number];
  const [image, line] = stridesOf(x.shape) as [number, number];
  const rows = bilinearPositions(attrs, inHeight, y.shape[1]!);
  const columns = bilinearPositions(attrs, inWidth, y.shape[2]!);
  let out = 0;
  for (let n = 0; n < batch; ++n) {
    for (let r = 0; r < rows.weight.length; ++r) {
      const upper = n * image + rows.low[r]! * line;
      const lower = n * image + rows.high[r]! * line;
      const down = rows.weight[r]!;
      for (let s = 0; s < columns.weight.length; ++s) {
        const left = columns.low[s]! * channels;
        const right = columns.high[s]! * channels;
        const across = columns.weight[s]!;
        for (let c = 0; c < channels; ++c) {
          const above = input[upper + left + c]! * (1024 - across) + input[upper + right + c]! * across;
          const below = input[lower + left + c]! * (1024 - across) + input[lower + right + c]! * across;
          const sum = above * (1024 - down) + below * down;
          const rounded = Math.trunc((sum + (sum > 0 ? 2 ** 19 : -(2 ** 19))) / 2 ** 20);
          y.data[out++] = clamp(rounded, -128, 127);
        }
      }
    }
  }
}
