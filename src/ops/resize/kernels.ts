import type { TensorType, Value } from '../../ir/types.ts';
import type { CallSpec, Kernel, KernelConstant, NodeView, SlotSpec } from '../definition.ts';
import { eachRow, rowsBy } from '../rows.ts';
import { bilinearPositions, nearestPositions } from './positions.ts';

export const resizeNearestKernels: readonly Kernel<'resize_nearest'>[] = [
  {
    name: 'resize_nearest_s8',
    isa: 'portable',
    why: 'the input column of every output column comes from a table',
    refuses: () => undefined,
    bind: bindNearest,
  },
];

export const resizeBilinearKernels: readonly Kernel<'resize_bilinear'>[] = [
  {
    name: 'resize_bilinear_s8',
    isa: 'portable',
    why: 'neighbours and weights of every row and column come from tables',
    refuses: () => undefined,
    bind: bindBilinear,
  },
];

function bindNearest({ attrs, ins, outs }: NodeView<'resize_nearest'>): CallSpec[] {
  const [x, y] = [ins[0]!, outs[0]!];
  const output = eachRow(y);
  return [
    {
      geometry: { width: y.shape[2]!, channels: y.shape[3]! },
      data: { columns: table(nearestPositions(attrs, x.shape[2]!, y.shape[2]!)) },
      firings: output.rows.length,
      slots: [rowSlot(x, y, nearestPositions(attrs, x.shape[1]!, y.shape[1]!))],
      output,
    },
  ];
}

function bindBilinear({ attrs, ins, outs }: NodeView<'resize_bilinear'>): CallSpec[] {
  const [x, y] = [ins[0]!, outs[0]!];
  const rows = bilinearPositions(attrs, x.shape[1]!, y.shape[1]!);
  const columns = bilinearPositions(attrs, x.shape[2]!, y.shape[2]!);
  const output = eachRow(y);
  return [
    {
      geometry: { height: y.shape[1]!, width: y.shape[2]!, channels: y.shape[3]! },
      data: {
        down: table(rows.weight),
        left: table(columns.low),
        right: table(columns.high),
        across: table(columns.weight),
      },
      firings: output.rows.length,
      slots: [rowSlot(x, y, rows.low), rowSlot(x, y, rows.high)],
      output,
    },
  ];
}

/** For output row o of an image, row `positions[o]` of the same image. */
function rowSlot(x: Value, y: TensorType, positions: Int32Array): SlotSpec {
  const [batch, height] = y.shape as [number, number];
  return {
    operand: 0,
    ...rowsBy(
      x,
      batch * height,
      (firing) => Math.floor(firing / height) * x.shape[1]! + positions[firing % height]!,
    ),
  };
}

function table(values: Int32Array): KernelConstant {
  return { role: 'table', data: Int16Array.from(values) };
}
