import { movedBytesProblem } from '../bytes.ts';
import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { eachRow, wholeTensor } from '../rows.ts';
import { stridedOffsets, stridesOf } from '../strided.ts';

/** As in TFLite. */
const MAX_RANK = 6;

export const transpose: OpDef<'transpose'> = {
  name: 'transpose',
  verify,
  macs: () => 0,
  reference,
  kernels: [
    {
      name: 'transpose_s8',
      isa: 'portable',
      why: 'any permutation; gathers every output row from the whole input',
      refuses: () => undefined,
      bind,
    },
  ],
};

function verify({ attrs: { permutation }, ins, outs }: NodeView<'transpose'>): Problem | undefined {
  const [x, y] = [ins[0], outs[0]];
  if (!x || !y) return { code: 'RV2005', message: 'an operand is missing' };
  const rank = x.shape.length;
  if (rank > MAX_RANK) {
    return {
      code: 'RV2002',
      message: `${rank} dimensions are transposed, at most ${MAX_RANK} are supported`,
    };
  }
  const sorted = [...permutation].sort((a, b) => a - b);
  if (permutation.length !== rank || sorted.some((dimension, d) => dimension !== d)) {
    return { code: 'RV2002', message: `[${permutation}] is not a permutation of ${rank} dimensions` };
  }
  const expected = permutation.map((dimension) => x.shape[dimension]!);
  if (y.shape.length !== rank || expected.some((size, d) => size !== y.shape[d])) {
    return {
      code: 'RV2005',
      message: `the output is [${y.shape}] where [${expected}] follows from the permutation`,
    };
  }
  return movedBytesProblem(x, y);
}

function reference({ attrs: { permutation }, ins, outs }: ReferenceView<'transpose'>): void {
  const [x, y] = [ins[0]!, outs[0]!];
  const strides = stridesOf(x.shape);
  const positions = stridedOffsets(
    y.shape,
    permutation.map((dimension) => strides[dimension]!),
  );
  for (let i = 0; i < positions.length; ++i) y.data[i] = x.data[positions[i]!]!;
}

function bind({ attrs: { permutation }, ins, outs }: NodeView<'transpose'>): CallSpec[] {
  const [x, y] = [ins[0]!, outs[0]!];
  const strides = stridesOf(x.shape);
  const missing = MAX_RANK - y.shape.length;
  const size = (d: number): number => (d < missing ? 1 : y.shape[d - missing]!);
  const stride = (d: number): number => (d < missing ? 0 : strides[permutation[d - missing]!]!);
  const output = eachRow(y);
  return [
    {
      geometry: {
        size_1: size(1),
        size_2: size(2),
        size_3: size(3),
        stride_0: stride(0),
        stride_1: stride(1),
        stride_2: stride(2),
        stride_3: stride(3),
        width: size(4),
        channels: size(5),
        pixel_stride: stride(4),
        channel_stride: stride(5),
      },
      data: {},
      firings: output.rows.length,
      slots: [{ operand: 0, ...wholeTensor(x, output.rows.length) }],
      output,
    },
  ];
}
