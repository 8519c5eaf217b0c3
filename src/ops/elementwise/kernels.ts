import { elementCount, type TensorType, type Value } from '../../ir/types.ts';
import type { CallSpec, Kernel, NodeView, SlotSpec } from '../definition.ts';
import { eachRow, planeOf, rowsBy } from '../rows.ts';
import { broadcastStrides, leadingOf, stridedOffsets } from '../strided.ts';
import { ARITHMETIC, type ElementwiseOp } from './arithmetic.ts';
import { elementwiseMveKernels } from './mve.ts';

/** Tried in order, see `Kernel`; `NAME_s8` walks both operands with strides. */
export function elementwiseKernels<K extends ElementwiseOp>(op: K): readonly Kernel<K>[] {
  return [
    ...elementwiseMveKernels(op, (view) => bind(op, view)),
    {
      name: `${op}_s8`,
      isa: 'portable',
      why: 'any broadcasting of either operand',
      refuses: () => undefined,
      bind: (view) => bind(op, view),
    },
  ];
}

function bind(op: ElementwiseOp, { attrs, ins, outs }: NodeView<ElementwiseOp>): CallSpec[] {
  const [a, b] = ins as [Value, Value];
  const y = outs[0]!;
  const output = eachRow(y);
  return [
    {
      geometry: { ...rowGeometry(a, b, y), ...ARITHMETIC[op].parameters({ a, b, y, attrs }) },
      data: {},
      firings: output.rows.length,
      slots: [a, b].map((operand, i) => broadcastSlot(operand, i, y)),
      output,
      inPlace: [0, 1].filter((i) => mayHoldResult([a, b][i]!, y)),
    },
  ];
}

/** The row of the operand that lies under each output row. */
function broadcastSlot(operand: TensorType, index: number, y: TensorType): SlotSpec {
  const leading = leadingOf(y.shape);
  const rows = stridedOffsets(leading, broadcastStrides(leadingOf(operand.shape), leading));
  return { operand: index, ...rowsBy(operand, rows.length, (firing) => rows[firing]!) };
}

/** Element i of the row is read before element i of the result is written, if no element is read twice. */
function mayHoldResult(operand: Value, y: TensorType): boolean {
  return operand.data === undefined && elementCount(operand.shape) === elementCount(y.shape);
}

interface Strides {
  readonly pixel: number;
  readonly channel: number;
}

/** Width and channels of the loop and the strides of both operands; one loop where the row allows it. */
function rowGeometry(a: TensorType, b: TensorType, y: TensorType): Record<string, number> {
  const { width, channels } = planeOf(y.shape);
  const strides = [stridesInRow(a), stridesInRow(b)] as const;
  if (channels === 1)
    return loops(
      1,
      width,
      strides.map(({ pixel }) => ({ pixel: 0, channel: pixel })),
    );
  if (strides.every(({ pixel, channel }) => pixel === channels * channel)) {
    return loops(1, width * channels, strides);
  }
  return loops(width, channels, strides);
}

function loops(width: number, channels: number, strides: readonly Strides[]): Record<string, number> {
  const [a, b] = strides as [Strides, Strides];
  return {
    width,
    channels,
    a_pixel_stride: a.pixel,
    a_channel_stride: a.channel,
    b_pixel_stride: b.pixel,
    b_channel_stride: b.channel,
  };
}

function stridesInRow(operand: TensorType): Strides {
  const { width, channels } = planeOf(operand.shape);
  return { pixel: width === 1 ? 0 : channels, channel: channels === 1 ? 0 : 1 };
}
