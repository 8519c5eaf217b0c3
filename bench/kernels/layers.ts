/** Single layers by their shape: few rows of realistic widths and channels, with seeded weights and real scales. */
import type { Padding } from '../../src/ir/attributes.ts';
import { bias, int8, type OpCase, opCase, weights } from '../../src/ops/case.ts';

/** What convolutions have in common. */
export interface LayerShape {
  readonly name: string;
  /** Rows and columns of the output. */
  readonly rows: number;
  readonly width: number;
  readonly from: number;
  readonly to: number;
  /** Height and width of the window. */
  readonly side?: number;
  /** Height of the window where it is not square. */
  readonly tall?: number;
  readonly stride?: number;
  /** The output's zero point is its smallest value. Default true. */
  readonly relu?: boolean;
  /** Rows above and below the image are padding; columns always are. Default false. */
  readonly bordered?: boolean;
}

const INPUT_SCALE = 0.05;
const ANY = [-128, 127] as const;

/** Input shape, attributes and output type of a window that keeps the width, or halves it with stride 2. */
function windowOf({
  rows,
  width,
  from,
  to,
  side = 1,
  tall = side,
  stride = 1,
  relu = true,
  bordered = false,
}: LayerShape) {
  const across = (size: number, kernel: number): { input: number; before: number; after: number } => {
    const input = size * stride - (stride > 1 && kernel > 1 && size % 2 === 1 ? 1 : 0);
    const total = Math.max(0, (size - 1) * stride + kernel - input);
    return { input, before: total >> 1, after: total - (total >> 1) };
  };
  const [down, right] = [across(rows, tall), across(width, side)];
  const height = bordered ? down.input : (rows - 1) * stride + tall;
  const padding: Padding = bordered
    ? [down.before, down.after, right.before, right.after]
    : [0, 0, right.before, right.after];
  return {
    x: int8([1, height, right.input, from], INPUT_SCALE, -128),
    attrs: { stride: [stride, stride], dilation: [1, 1], padding, clamp: ANY } as const,
    y: int8([1, rows, width, to], outputScale(tall * side * from), relu ? -128 : 3),
  };
}

/** Keeps multipliers below 1, as trained networks have them. */
function outputScale(products: number): number {
  return 0.02 * Math.sqrt(products) + 0.03;
}

export function convolution(shape: LayerShape): OpCase {
  const { name, from, to, side = 1, tall = side } = shape;
  const { x, attrs, y } = windowOf(shape);
  return opCase(name, 'conv2d', attrs, [x, weights([to, tall, side, from], 0, to), bias(to, from)], y);
}

export function depthwise(shape: Omit<LayerShape, 'from'>): OpCase {
  const { name, to, side = 1, relu = true } = shape;
  const { x, attrs, y } = windowOf({ ...shape, from: to });
  return opCase(
    name,
    'depthwise_conv2d',
    attrs,
    [x, weights([1, side, side, to], 3, to), bias(to, side)],
    int8(y.shape, outputScale(side * side), relu ? -128 : 3),
  );
}

/** A pointwise convolution to `to` channels and the depthwise one behind it, as streaming joins them. */
export function expansion(shape: LayerShape, carries: boolean): OpCase {
  const { name, from, to, side = 1 } = shape;
  const { x, attrs, y } = windowOf(shape);
  return opCase(
    name,
    'expand_depthwise2d',
    {
      ...attrs,
      carries,
      expandClamp: ANY,
      expandedScale: Math.fround(outputScale(from)),
      expandedZeroPoint: -128,
    },
    [
      x,
      weights([to, 1, 1, from], 0, to),
      bias(to, from),
      weights([1, side, side, to], 3, to),
      bias(to, side),
    ],
    y,
  );
}

export function dense({ name, rows, from, to, relu = true }: Omit<LayerShape, 'width'>): OpCase {
  return opCase(
    name,
    'fully_connected',
    { clamp: ANY },
    [int8([rows, from], INPUT_SCALE, -128), weights([to, from], null, to), bias(to, from)],
    int8([rows, to], outputScale(from), relu ? -128 : 3),
  );
}

/** The plane of an element-wise operator or a pooling. */
export type PlaneShape = Pick<LayerShape, 'name' | 'rows' | 'width' | 'to'>;

export function add({ name, rows, width, to }: PlaneShape, scaleOfSecond = 0.04): OpCase {
  const shape = [1, rows, width, to];
  return opCase(
    name,
    'add',
    { clamp: ANY },
    [int8(shape, 0.05, -3), int8(shape, scaleOfSecond, 4)],
    int8(shape, 0.07, 5),
  );
}

/** By a factor for each channel, as squeeze-and-excite does. */
export function scale({ name, rows, width, to }: PlaneShape): OpCase {
  const shape = [1, rows, width, to];
  return opCase(
    name,
    'mul',
    { clamp: ANY },
    [int8(shape, 0.05, -3), int8([1, 1, 1, to], 0.0039, -128)],
    int8(shape, 0.05, -3),
  );
}

/** Without overlap: `side` is the window and the stride; `rows` and `width` are the output's. */
export function pool(
  op: 'average_pool2d' | 'max_pool2d',
  { name, rows, width, to, side }: PlaneShape & { side: number },
): OpCase {
  const attrs = { kernel: [side, side], stride: [side, side], padding: [0, 0, 0, 0], clamp: ANY } as const;
  return opCase(
    name,
    op,
    attrs,
    [int8([1, rows * side, width * side, to], 0.05, 3)],
    int8([1, rows, width, to], 0.05, 3),
  );
}

/** Over all rows and columns. */
export function mean({ name, rows, width, to }: PlaneShape): OpCase {
  return opCase(
    name,
    'mean',
    { axes: [1, 2] },
    [int8([1, rows, width, to], 0.05, 3)],
    int8([1, to], 0.04, 5),
  );
}
