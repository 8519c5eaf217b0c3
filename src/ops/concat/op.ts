import type { Value } from '../../ir/types.ts';
import { movedBytesProblem } from '../bytes.ts';
import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { copyGeometry, copyKernel } from '../movement/copy.ts';
import { eachRow, planeOf } from '../rows.ts';
import { leadingOf, stridedOffsets, stridesOf } from '../strided.ts';

export const concat: OpDef<'concat'> = {
  name: 'concat',
  verify,
  macs: () => 0,
  reference,
  kernels: [copyKernel('copies one input into its part of the output rows', bind)],
};

function verify({ attrs: { axis }, ins, outs }: NodeView<'concat'>): Problem | undefined {
  const y = outs[0];
  if (!y || ins.length === 0) return { code: 'RV2005', message: 'an operand is missing' };
  if (!Number.isInteger(axis) || axis < 0 || axis >= y.shape.length) {
    return { code: 'RV2002', message: `axis ${axis} does not exist in ${y.shape.length} dimensions` };
  }
  let size = 0;
  for (const x of ins) {
    if (!x) return { code: 'RV2005', message: 'an operand is missing' };
    const problem = movedBytesProblem(x, y);
    if (problem) return problem;
    if (x.shape.length !== y.shape.length || x.shape.some((s, d) => d !== axis && s !== y.shape[d])) {
      return { code: 'RV2005', message: `[${x.shape}] cannot be joined to [${y.shape}] along axis ${axis}` };
    }
    size += x.shape[axis]!;
  }
  if (size === y.shape[axis]) return undefined;
  return {
    code: 'RV2005',
    message: `the inputs add up to ${size} along axis ${axis}, the output has ${y.shape[axis]}`,
  };
}

function reference({ attrs: { axis }, ins, outs }: ReferenceView<'concat'>): void {
  const y = outs[0]!;
  const strides = stridesOf(y.shape);
  let start = 0;
  for (const x of ins) {
    const positions = stridedOffsets(x!.shape, strides, start * strides[axis]!);
    for (let i = 0; i < positions.length; ++i) y.data[positions[i]!] = x!.data[i]!;
    start += x!.shape[axis]!;
  }
}

/** One call an input. It writes whole output rows or, where the axis lies within the rows, its part of every row. */
function bind({ attrs: { axis }, ins, outs }: NodeView<'concat'>): CallSpec[] {
  const y = outs[0]!;
  let start = 0;
  return ins.map((x, operand) => {
    const call = copyInto(x!, operand, y, axis, start);
    start += x!.shape[axis]!;
    return call;
  });
}

function copyInto(x: Value, operand: number, y: Value, axis: number, start: number): CallSpec {
  const [from, to] = [planeOf(x.shape), planeOf(y.shape)];
  const strides = stridesOf(y.shape);
  const rowBytes = to.width * to.channels;
  const first = start * strides[axis]!;
  const lines = leadingOf(strides).map((stride) => stride / rowBytes);
  const slot = { operand, ...eachRow(x) };
  return {
    geometry: copyGeometry({
      width: from.width,
      channels: from.channels,
      in_start: 0,
      in_pixel_stride: from.channels,
      in_channel_stride: 1,
      out_pixel_stride: to.channels,
    }),
    data: {},
    firings: slot.rows.length,
    slots: [slot],
    output: {
      offset: first % rowBytes,
      pitch: rowBytes,
      rowBytes: (from.width - 1) * to.channels + from.channels,
      rows: stridedOffsets(leadingOf(x.shape), lines, Math.floor(first / rowBytes)),
    },
  };
}
