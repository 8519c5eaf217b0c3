/**
 * Back-propagation of regions: which part of its operands an operator needs for a part of its output, and with which
 * attributes it computes exactly that part. Everything is in absolute coordinates of the whole plane; a window that
 * reaches over the border of the plane gets the padding it has there, and none at the inner borders of a tile.
 */
import type { Padding, Pair } from '../ir/attributes.ts';
import { type Graph, type Node, type NodeOf, requireValue, type Value } from '../ir/types.ts';
import { nearestPositions } from '../ops/resize/positions.ts';
import { planeOf } from '../ops/rows.ts';

/** Positions from, from + 1, ..., to - 1; never none. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** A rectangle of a plane, the same in every image and channel. */
export interface Region {
  readonly rows: Interval;
  readonly columns: Interval;
}

/** An operator that computes a part of its output. */
export interface Tile {
  readonly attrs: Node['attrs'];
  /** What it computes: the region that was asked for, or a larger one. */
  readonly made: Region;
  /** The region of each operand; null for those that are taken as they are (constants). */
  readonly needs: readonly (Region | null)[];
}

const ONE: Pair = [1, 1];
const FIRST: Interval = { from: 0, to: 1 };

export function wholeOf({ shape }: Value): Region {
  const { height, width } = planeOf(shape);
  return { rows: { from: 0, to: height }, columns: { from: 0, to: width } };
}

/** The smallest region that holds both. */
export function hull(a: Region, b: Region): Region {
  const over = (x: Interval, y: Interval): Interval => ({
    from: Math.min(x.from, y.from),
    to: Math.max(x.to, y.to),
  });
  return { rows: over(a.rows, b.rows), columns: over(a.columns, b.columns) };
}

export function sameRegion(a: Region, b: Region): boolean {
  const same = (x: Interval, y: Interval): boolean => x.from === y.from && x.to === y.to;
  return same(a.rows, b.rows) && same(a.columns, b.columns);
}

/** `node` for the region `wanted` of its output, or the reason why it cannot be computed in parts. */
export function tileOf(graph: Graph, node: Node, wanted: Region): Tile | string {
  const values = [...node.ins, ...node.outs].map((id) => (id === null ? null : requireValue(graph, id)));
  if (values.some((value) => value !== null && value.role !== 'const' && value.shape.length !== 4)) {
    return 'it has operands that are not images';
  }
  const x = values[0]!;
  const out = values.at(-1)!;
  switch (node.op) {
    case 'conv2d':
    case 'depthwise_conv2d':
      return windowTile(
        node,
        x,
        wanted,
        values[1]!.shape.slice(1, 3) as [number, number],
        node.attrs.dilation,
      );
    case 'average_pool2d':
    case 'max_pool2d':
      return windowTile(node, x, wanted, node.attrs.kernel, ONE);
    case 'pad':
      return padTile(node, x, wanted);
    case 'resize_nearest':
      return resizeTile(node, x, out, wanted);
    case 'concat':
      return node.attrs.axis === 3 ? pointwiseTile(node, values, wanted) : 'it joins along rows or columns';
    case 'add':
    case 'sub':
    case 'mul':
    case 'maximum':
    case 'minimum':
    case 'logistic':
    case 'tanh':
    case 'relu':
    case 'leaky_relu':
    case 'prelu':
    case 'hard_swish':
    case 'softmax':
    case 'quantize':
    case 'dequantize':
      return pointwiseTile(node, values, wanted);
    default:
      return `${node.op} does not compute its rows and columns from their neighbours`;
  }
}

type WindowNode = NodeOf<'conv2d' | 'depthwise_conv2d' | 'average_pool2d' | 'max_pool2d'>;

function windowTile(node: WindowNode, x: Value, wanted: Region, kernel: Pair, dilation: Pair): Tile | string {
  const { stride, padding } = node.attrs;
  const { height, width } = planeOf(x.shape);
  const reach = (axis: 0 | 1): number => (kernel[axis] - 1) * dilation[axis] + 1;
  const rows = windowSpan(wanted.rows, height, reach(0), stride[0], padding[0]);
  const columns = windowSpan(wanted.columns, width, reach(1), stride[1], padding[2]);
  if (rows === undefined || columns === undefined) return PADDING_ALONE;
  const tilePadding: Padding = [rows.before, rows.after, columns.before, columns.after];
  return {
    attrs: { ...node.attrs, padding: tilePadding },
    made: wanted,
    needs: [{ rows: rows.real, columns: columns.real }, ...node.ins.slice(1).map(() => null)],
  };
}

function padTile(node: NodeOf<'pad'>, x: Value, wanted: Region): Tile | string {
  const { before, after } = node.attrs;
  const { height, width } = planeOf(x.shape);
  const rows = windowSpan(wanted.rows, height, 1, 1, before[1]!);
  const columns = windowSpan(wanted.columns, width, 1, 1, before[2]!);
  if (rows === undefined || columns === undefined) return PADDING_ALONE;
  return {
    attrs: {
      ...node.attrs,
      before: [before[0]!, rows.before, columns.before, before[3]!],
      after: [after[0]!, rows.after, columns.after, after[3]!],
    },
    made: wanted,
    needs: [{ rows: rows.real, columns: columns.real }],
  };
}

const PADDING_ALONE = 'a tile would be computed from padding alone';

/** Positions that windows of `reach` at `out` cover in an axis of `size`, and what lies before and after the axis. */
function windowSpan(
  out: Interval,
  size: number,
  reach: number,
  stride: number,
  pad: number,
): { real: Interval; before: number; after: number } | undefined {
  const from = out.from * stride - pad;
  const to = (out.to - 1) * stride - pad + reach;
  const real = { from: Math.max(0, from), to: Math.min(size, to) };
  return real.from < real.to ? { real, before: real.from - from, after: to - real.to } : undefined;
}

/** Each pixel from the same pixel of every operand, or from the only one it has along an axis. */
function pointwiseTile(node: Node, values: readonly (Value | null)[], wanted: Region): Tile | string {
  const out = planeOf(values.at(-1)!.shape);
  const needs: (Region | null)[] = [];
  for (const operand of values.slice(0, node.ins.length)) {
    const plane = planeOf(operand?.shape ?? []);
    if (operand !== null && operand.role !== 'const') {
      needs.push({
        rows: plane.height === out.height ? wanted.rows : FIRST,
        columns: plane.width === out.width ? wanted.columns : FIRST,
      });
    } else if (plane.height === 1 && plane.width === 1) {
      needs.push(null);
    } else {
      return 'it has a constant that differs between rows or columns';
    }
  }
  return { attrs: node.attrs, made: wanted, needs };
}

function resizeTile(node: NodeOf<'resize_nearest'>, x: Value, out: Value, wanted: Region): Tile | string {
  const [from, to] = [planeOf(x.shape), planeOf(out.shape)];
  const rows = resizeSpan(node.attrs, from.height, to.height, wanted.rows);
  const columns = resizeSpan(node.attrs, from.width, to.width, wanted.columns);
  if (rows === undefined || columns === undefined) return 'its pixels do not repeat evenly';
  return {
    attrs: node.attrs,
    made: { rows: rows.made, columns: columns.made },
    needs: [{ rows: rows.need, columns: columns.need }],
  };
}

/** The positions around `wanted` that repeat whole input positions; undefined unless a part resizes like the whole. */
function resizeSpan(
  attrs: NodeOf<'resize_nearest'>['attrs'],
  from: number,
  to: number,
  wanted: Interval,
): { made: Interval; need: Interval } | undefined {
  const positions = nearestPositions(attrs, from, to);
  const made = { ...wanted };
  while (made.from > 0 && positions[made.from - 1] === positions[made.from]) made.from -= 1;
  while (made.to < to && positions[made.to - 1] === positions[made.to]) made.to += 1;
  const need = { from: positions[made.from]!, to: made.to < to ? positions[made.to]! : from };
  const part = nearestPositions(attrs, need.to - need.from, made.to - made.from);
  const alike = part.every((position, i) => need.from + position === positions[made.from + i]);
  return alike ? { made, need } : undefined;
}
