import { byteRange, movedBytesProblem } from '../bytes.ts';
import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { eachRow, planeOf, rowsBy } from '../rows.ts';
import { leadingOf, stridedOffsets, stridesOf } from '../strided.ts';

export const pad: OpDef<'pad'> = {
  name: 'pad',
  verify,
  macs: () => 0,
  reference,
  kernels: [
    {
      name: 'pad_s8',
      isa: 'portable',
      why: 'a border in any dimension',
      refuses: () => undefined,
      bind,
    },
  ],
};

function verify({ attrs: { before, after, value }, ins, outs }: NodeView<'pad'>): Problem | undefined {
  const [x, y] = [ins[0], outs[0]];
  if (!x || !y) return { code: 'RV2005', message: 'an operand is missing' };
  if (
    before.length !== x.shape.length ||
    after.length !== x.shape.length ||
    y.shape.length !== x.shape.length
  ) {
    return { code: 'RV2005', message: `padding of ${before.length} dimensions does not fit [${x.shape}]` };
  }
  if (![...before, ...after].every((size) => Number.isInteger(size) && size >= 0)) {
    return { code: 'RV2002', message: `the padding [${before}], [${after}] is negative` };
  }
  const expected = x.shape.map((size, d) => before[d]! + size + after[d]!);
  if (expected.some((size, d) => size !== y.shape[d])) {
    return {
      code: 'RV2005',
      message: `the output is [${y.shape}] where [${expected}] follows from the padding`,
    };
  }
  const problem = movedBytesProblem(x, y);
  if (problem) return problem;
  const [lowest, highest] = byteRange(y);
  if (Number.isInteger(value) && value >= lowest && value <= highest) return undefined;
  return { code: 'RV2002', message: `the padding value ${value} is outside ${y.dtype}` };
}

function reference({ attrs: { before, value }, ins, outs }: ReferenceView<'pad'>): void {
  const [x, y] = [ins[0]!, outs[0]!];
  for (let i = 0; i < y.data.length; ++i) y.data[i] = value;
  const positions = positionsIn(y.shape, x.shape, before);
  for (let i = 0; i < positions.length; ++i) y.data[positions[i]!] = x.data[i]!;
}

function bind({ attrs: { before, after, value }, ins, outs }: NodeView<'pad'>): CallSpec[] {
  const [x, y] = [ins[0]!, outs[0]!];
  const output = eachRow(y);
  const inputRows = new Int32Array(output.rows.length).fill(-1);
  positionsIn(leadingOf(y.shape), leadingOf(x.shape), leadingOf(before)).forEach((outputRow, inputRow) => {
    inputRows[outputRow] = inputRow;
  });
  const { width, channels } = planeOf(x.shape);
  const pixel = planeOf(y.shape).channels;
  const joined = pixel === channels;
  return [
    {
      geometry: {
        width: joined ? 1 : width,
        channels: joined ? width * channels : channels,
        before: before.at(-1) ?? 0,
        after: after.at(-1) ?? 0,
        left: (before.at(-2) ?? 0) * pixel,
        right: (after.at(-2) ?? 0) * pixel,
        value,
      },
      data: {},
      firings: output.rows.length,
      slots: [{ operand: 0, ...rowsBy(x, output.rows.length, (firing) => inputRows[firing]!) }],
      output,
    },
  ];
}

/** Where the elements of a tensor of shape `inner` lie in one of shape `outer`, `before` indices from its start. */
function positionsIn(
  outer: readonly number[],
  inner: readonly number[],
  before: readonly number[],
): Int32Array {
  const strides = stridesOf(outer);
  return stridedOffsets(
    inner,
    strides,
    before.reduce((start, size, d) => start + size * strides[d]!, 0),
  );
}
