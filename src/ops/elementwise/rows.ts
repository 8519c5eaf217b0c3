/** How an element-wise operator walks the rows of two operands that broadcast. */
import { elementCount, type TensorType, type Value } from '../../ir/types.ts';
import type { CallSpec, NodeView, SlotSpec } from '../definition.ts';
import { eachRow, planeOf, rowsBy } from '../rows.ts';
import { broadcastStrides, leadingOf, stridedOffsets } from '../strided.ts';
import type { ElementwiseOp } from './arithmetic.ts';

/** A call of any kernel that takes the rows of both operands. */
export function bindRows(
  { ins, outs }: NodeView<ElementwiseOp>,
  geometry: Readonly<Record<string, number>>,
): CallSpec {
  const [a, b] = ins as [Value, Value];
  const y = outs[0]!;
  const output = eachRow(y);
  return {
    geometry,
    data: {},
    firings: output.rows.length,
    slots: [a, b].map((operand, i) => broadcastSlot(operand, i, y)),
    output,
    inPlace: [0, 1].filter((i) => mayHoldResult([a, b][i]!, y)),
  };
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

/** Fields of the geometry that say how a row is walked. */
export interface RowGeometry extends Readonly<Record<string, number>> {
  readonly width: number;
  readonly channels: number;
  readonly a_pixel_stride: number;
  readonly a_channel_stride: number;
  readonly b_pixel_stride: number;
  readonly b_channel_stride: number;
}

/** Width and channels of the loop and the strides of both operands; one loop where the row allows it. */
export function rowGeometry({ ins, outs }: NodeView<ElementwiseOp>): RowGeometry {
  const [a, b] = ins as [Value, Value];
  const y = outs[0]!;
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

function loops(width: number, channels: number, strides: readonly Strides[]): RowGeometry {
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
