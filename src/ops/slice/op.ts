import { movedBytesProblem } from '../bytes.ts';
import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { copyGeometry, copyKernel } from '../movement/copy.ts';
import { eachRow, planeOf, rowsBy } from '../rows.ts';
import { leadingOf, stridedOffsets, stridesOf } from '../strided.ts';

export const slice: OpDef<'slice'> = {
  name: 'slice',
  verify,
  macs: () => 0,
  reference,
  kernels: [copyKernel('copies the rows, columns and channels that stay', bind)],
};

function verify({ attrs: { begin, strides }, ins, outs }: NodeView<'slice'>): Problem | undefined {
  const [x, y] = [ins[0], outs[0]];
  if (!x || !y) return { code: 'RV2005', message: 'an operand is missing' };
  const rank = x.shape.length;
  if (y.shape.length !== rank || begin.length !== rank || strides.length !== rank) {
    return { code: 'RV2005', message: `a slice of [${x.shape}] cannot have the shape [${y.shape}]` };
  }
  for (let d = 0; d < rank; ++d) {
    const [first, stride] = [begin[d]!, strides[d]!];
    const last = first + (y.shape[d]! - 1) * stride;
    const inside = [first, last].every((i) => Number.isInteger(i) && i >= 0 && i < x.shape[d]!);
    if (!inside || !Number.isInteger(stride) || stride === 0) {
      return {
        code: 'RV2005',
        message: `elements ${first} to ${last} in steps of ${stride} do not exist in dimension ${d} of [${x.shape}]`,
      };
    }
  }
  return movedBytesProblem(x, y);
}

function reference({ attrs: { begin, strides }, ins, outs }: ReferenceView<'slice'>): void {
  const [x, y] = [ins[0]!, outs[0]!];
  const sizes = stridesOf(x.shape);
  const steps = strides.map((stride, d) => stride * sizes[d]!);
  const positions = stridedOffsets(y.shape, steps, dot(begin, sizes));
  for (let i = 0; i < positions.length; ++i) y.data[i] = x.data[positions[i]!]!;
}

function bind({ attrs: { begin, strides }, ins, outs }: NodeView<'slice'>): CallSpec[] {
  const [x, y] = [ins[0]!, outs[0]!];
  const [from, to] = [planeOf(x.shape), planeOf(y.shape)];
  // The stride of a single element means nothing and may be absurd.
  const steps = strides.map((stride, d) => (y.shape[d] === 1 ? 1 : stride));
  const lines = stridesOf(leadingOf(x.shape));
  const rows = stridedOffsets(
    leadingOf(y.shape),
    lines.map((size, d) => size * steps[d]!),
    dot(leadingOf(begin), lines),
  );
  return [
    {
      geometry: copyGeometry({
        width: to.width,
        channels: to.channels,
        in_start: (begin.at(-2) ?? 0) * from.channels + (begin.at(-1) ?? 0),
        in_pixel_stride: (steps.at(-2) ?? 1) * from.channels,
        in_channel_stride: steps.at(-1) ?? 1,
        out_pixel_stride: to.channels,
      }),
      data: {},
      firings: rows.length,
      slots: [{ operand: 0, ...rowsBy(x, rows.length, (firing) => rows[firing]!) }],
      output: eachRow(y),
    },
  ];
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
