/** Small float32 graphs that show every feature of every operator: each path through the kernels, each boundary. */
import type {
  Clamp,
  GradientWindow,
  NodeAttributes,
  OpName,
  Padding,
  Pair,
} from '../../src/ir/attributes.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import type { Graph, Shape, TensorType } from '../../src/ir/types.ts';
import { float32, type OpCase, opCase } from '../../src/ops/case.ts';
import { UNBOUNDED } from '../../src/ops/float.ts';

const SIX: Clamp = [0, 6];
const NARROW: Clamp = [-0.4, 0.7];
const f = float32;

function window(stride: Pair, padding: Padding, dilation: Pair = [1, 1]): GradientWindow {
  return { stride, padding, dilation };
}

const NONE: Padding = [0, 0, 0, 0];
const ONE: Pair = [1, 1];
const SAME: Padding = [1, 1, 1, 1];

/** Image, weights, output and window. */
type Geometry = readonly [name: string, x: Shape, weights: Shape, y: Shape, window: GradientWindow];

const CONVOLUTIONS: readonly Geometry[] = [
  ['pointwise', [2, 3, 5, 7], [9, 1, 1, 7], [2, 3, 5, 9], window(ONE, NONE)],
  ['pointwise, wide', [1, 4, 5, 24], [40, 1, 1, 24], [1, 4, 5, 40], window(ONE, NONE)],
  ['pointwise, more pixels than a chunk', [2, 9, 9, 5], [11, 1, 1, 5], [2, 9, 9, 11], window(ONE, NONE)],
  ['pointwise with a stride', [1, 4, 4, 3], [5, 1, 1, 3], [1, 2, 2, 5], window([2, 2], NONE)],
  ['3x3', [2, 5, 6, 3], [4, 3, 3, 3], [2, 5, 6, 4], window(ONE, SAME)],
  [
    '3x3 stride 2, padded on one side',
    [1, 6, 6, 3],
    [8, 3, 3, 3],
    [1, 3, 3, 8],
    window([2, 2], [0, 1, 0, 1]),
  ],
  ['1x3 dilated', [1, 3, 9, 2], [3, 1, 3, 2], [1, 3, 5, 3], window(ONE, NONE, [1, 2])],
  ['groups', [1, 4, 4, 6], [4, 3, 3, 3], [1, 4, 4, 4], window(ONE, SAME)],
  ['rows that no window sees', [1, 6, 5, 2], [3, 2, 2, 2], [1, 2, 2, 3], window([3, 3], NONE)],
];

const DEPTHWISE: readonly Geometry[] = [
  ['3x3', [2, 5, 6, 5], [1, 3, 3, 5], [2, 5, 6, 5], window(ONE, SAME)],
  ['3x3, wide', [1, 3, 4, 36], [1, 3, 3, 36], [1, 3, 4, 36], window(ONE, SAME)],
  ['3x3 on one column', [1, 3, 1, 20], [1, 3, 3, 20], [1, 3, 1, 20], window(ONE, SAME)],
  ['3x3 stride 2', [1, 6, 6, 18], [1, 3, 3, 18], [1, 3, 3, 18], window([2, 2], SAME)],
  ['5x5', [1, 5, 5, 17], [1, 5, 5, 17], [1, 5, 5, 17], window(ONE, [2, 2, 2, 2])],
  ['multiplier', [1, 4, 4, 3], [1, 3, 3, 6], [1, 4, 4, 6], window(ONE, SAME)],
  ['dilated', [1, 7, 7, 4], [1, 3, 3, 4], [1, 3, 3, 4], window(ONE, NONE, [2, 2])],
  ['padding larger than the window', [1, 2, 2, 3], [1, 2, 2, 3], [1, 7, 7, 3], window(ONE, [3, 3, 3, 3])],
];

function convolutions(op: 'conv2d' | 'depthwise_conv2d', geometries: readonly Geometry[]): OpCase[] {
  return geometries.map(([name, x, weights, y, attrs], i) => {
    const clamp = [UNBOUNDED, SIX, NARROW][i % 3]!;
    const bias = i % 2 === 0 ? [f([y[3]!])] : [];
    return opCase(name, op, { ...attrs, clamp }, [f(x), f(weights), ...bias], f(y));
  });
}

const TRANSPOSED: readonly OpCase[] = [
  opCase(
    'stride 2',
    'transpose_conv2d',
    { stride: [2, 2], padding: [0, 1, 0, 1], clamp: UNBOUNDED },
    [f([2, 2, 3, 3]), f([4, 3, 3, 3]), f([4])],
    f([2, 4, 6, 4]),
  ),
  opCase(
    'output larger than any window reaches',
    'transpose_conv2d',
    { stride: [2, 2], padding: NONE, clamp: NARROW },
    [f([1, 2, 2, 2]), f([3, 2, 2, 2])],
    f([1, 7, 8, 3]),
  ),
];

type Binary = 'add' | 'sub' | 'mul' | 'maximum' | 'minimum' | 'prelu';

function binary(op: Binary): OpCase[] {
  const attrs = (clamp: Clamp): NodeAttributes[Binary] =>
    ['add', 'sub', 'mul'].includes(op) ? { clamp } : {};
  return [
    opCase('same shape', op, attrs(UNBOUNDED), [f([2, 3, 5]), f([2, 3, 5])], f([2, 3, 5])),
    opCase('by channel', op, attrs(NARROW), [f([2, 3, 4, 5]), f([5])], f([2, 3, 4, 5])),
    opCase('one number', op, attrs(SIX), [f([2, 19]), f([1])], f([2, 19])),
    opCase('inner dimensions', op, attrs(UNBOUNDED), [f([2, 3, 4, 5]), f([2, 1, 1, 5])], f([2, 3, 4, 5])),
    ...(op === 'prelu'
      ? []
      : [opCase('either way', op, attrs(UNBOUNDED), [f([3, 1, 5]), f([1, 4, 1])], f([3, 4, 5]))]),
  ];
}

const POOLS: readonly (readonly [string, Shape, Shape, Pair, Pair, Padding])[] = [
  ['2x2', [2, 4, 6, 3], [2, 2, 3, 3], [2, 2], [2, 2], NONE],
  ['3x3 overlapping, padded', [1, 5, 5, 4], [1, 3, 3, 4], [3, 3], [2, 2], SAME],
  ['whole image', [2, 3, 4, 5], [2, 1, 1, 5], [3, 4], ONE, NONE],
];

function pools(op: 'average_pool2d' | 'max_pool2d'): OpCase[] {
  return POOLS.map(([name, x, y, kernel, stride, padding], i) =>
    opCase(name, op, { kernel, stride, padding, clamp: i === 0 ? NARROW : UNBOUNDED }, [f(x)], f(y)),
  );
}

/** A graph made step by step. */
function graphOf(
  inputs: Readonly<Record<string, TensorType>>,
  make: (emit: Emit, ids: Readonly<Record<string, number>>) => number,
): Graph {
  const builder = new GraphBuilder('case');
  const ids = Object.fromEntries(
    Object.entries(inputs).map(([name, type]) => [name, builder.input(name, type)]),
  );
  const emit: Emit = (op, attrs, ins, type) => {
    const out = builder.activation(op, type);
    builder.node(op, attrs, ins, [out], { index: 0, op, name: op });
    return out;
  };
  return builder.build([make(emit, ids)]);
}

type Emit = <K extends OpName>(
  op: K,
  attrs: NodeAttributes[K],
  ins: readonly number[],
  type: TensorType,
) => number;

const NORMS: readonly OpCase[] = (
  [
    ['8 channels', [2, 3, 3, 8], UNBOUNDED],
    ['13 channels, clamped', [3, 2, 5, 13], NARROW],
    ['48 channels, many rows', [4, 5, 7, 48], SIX],
    ['one row for each period', [3, 1, 1, 3], UNBOUNDED],
  ] as const
).flatMap(([name, shape, clamp]) => {
  const channels = shape[3];
  const common = { x: f(shape), gamma: f([channels]), beta: f([channels]) };
  return [
    {
      name: `${name}, by the batch`,
      graph: graphOf(common, (emit, { x, gamma, beta }) => {
        const moments = emit('batch_moments', {}, [x!], f([2, channels]));
        return emit('batch_norm', { epsilon: 1e-3, clamp }, [x!, moments, gamma!, beta!], f(shape));
      }),
    },
  ];
});

/** Moments that are not those of what is normalised are constants of the layer, like running averages. */
const OTHER_MOMENTS = { ...f([2, 5]), data: Float32Array.of(0.3, -1, 2, 0, 0.1, 0.5, 1, 2.5, 0.01, 1) };

const RUNNING_NORM = opCase(
  'by other moments',
  'batch_norm',
  { epsilon: 1e-3, clamp: NARROW },
  [f([2, 2, 3, 5]), OTHER_MOMENTS, f([5]), f([5])],
  f([2, 2, 3, 5]),
);

const RESIZES = ([false, true] as const).flatMap((alignCorners) =>
  ([false, true] as const)
    .filter((halfPixelCenters) => !(alignCorners && halfPixelCenters))
    .map((halfPixelCenters) => ({ alignCorners, halfPixelCenters })),
);

function resizes(op: 'resize_nearest' | 'resize_bilinear'): OpCase[] {
  return RESIZES.flatMap((attrs) => [
    opCase(`larger ${JSON.stringify(attrs)}`, op, attrs, [f([2, 3, 4, 2])], f([2, 7, 5, 2])),
    opCase(`smaller ${JSON.stringify(attrs)}`, op, attrs, [f([1, 7, 6, 3])], f([1, 3, 4, 3])),
  ]);
}

export const FLOAT_CASES: Readonly<Record<string, readonly OpCase[]>> = {
  conv2d: convolutions('conv2d', CONVOLUTIONS),
  depthwise_conv2d: convolutions('depthwise_conv2d', DEPTHWISE),
  transpose_conv2d: TRANSPOSED,
  fully_connected: [
    opCase('with a bias', 'fully_connected', { clamp: UNBOUNDED }, [f([3, 7]), f([5, 7]), f([5])], f([3, 5])),
    opCase('flattens', 'fully_connected', { clamp: NARROW }, [f([2, 2, 2, 3]), f([4, 12])], f([2, 4])),
    opCase('wide', 'fully_connected', { clamp: UNBOUNDED }, [f([9, 33]), f([50, 33])], f([9, 50])),
  ],
  average_pool2d: pools('average_pool2d'),
  max_pool2d: pools('max_pool2d'),
  mean: [
    opCase('image', 'mean', { axes: [1, 2] }, [f([2, 3, 4, 5])], f([2, 5])),
    opCase('channels, kept', 'mean', { axes: [3] }, [f([2, 3, 4, 37])], f([2, 3, 4, 1])),
    opCase('everything', 'mean', { axes: [0, 1] }, [f([3, 4])], f([1])),
  ],
  softmax: [
    opCase('vector', 'softmax', { beta: 1 }, [f([1, 7])], f([1, 7])),
    opCase('rows, beta', 'softmax', { beta: 0.5 }, [f([2, 3, 5])], f([2, 3, 5])),
  ],
  add: binary('add'),
  sub: binary('sub'),
  mul: binary('mul'),
  maximum: binary('maximum'),
  minimum: binary('minimum'),
  prelu: binary('prelu'),
  relu: [
    opCase('six', 'relu', { clamp: SIX }, [f([2, 3, 7])], f([2, 3, 7])),
    opCase('unbounded above', 'relu', { clamp: [0, Number.POSITIVE_INFINITY] }, [f([33])], f([33])),
  ],
  leaky_relu: [opCase('slope', 'leaky_relu', { alpha: 0.1 }, [f([3, 11])], f([3, 11]))],
  hard_swish: [opCase('all pieces', 'hard_swish', {}, [f([8, 40])], f([8, 40]))],
  logistic: [opCase('all', 'logistic', {}, [f([5, 9])], f([5, 9]))],
  tanh: [opCase('all', 'tanh', {}, [f([5, 9])], f([5, 9]))],
  pad: [
    opCase(
      'all sides',
      'pad',
      { before: [0, 1, 2, 1], after: [1, 0, 1, 2], value: 0.25 },
      [f([1, 3, 2, 4])],
      f([2, 4, 5, 7]),
    ),
  ],
  reshape: [opCase('flat', 'reshape', {}, [f([2, 3, 4])], f([24]))],
  transpose: [
    opCase('four dimensions', 'transpose', { permutation: [2, 0, 3, 1] }, [f([2, 3, 4, 5])], f([4, 2, 5, 3])),
    opCase('matrix', 'transpose', { permutation: [1, 0] }, [f([3, 7])], f([7, 3])),
  ],
  concat: [
    opCase(
      'channels',
      'concat',
      { axis: 3 },
      [f([2, 2, 3, 4]), f([2, 2, 3, 1]), f([2, 2, 3, 5])],
      f([2, 2, 3, 10]),
    ),
    opCase('batch', 'concat', { axis: 0 }, [f([2, 3]), f([1, 3])], f([3, 3])),
  ],
  slice: [
    opCase(
      'part',
      'slice',
      { begin: [0, 1, 0, 2], strides: [1, 1, 1, 1] },
      [f([2, 4, 3, 5])],
      f([2, 2, 3, 3]),
    ),
    opCase('steps, backwards', 'slice', { begin: [1, 4], strides: [2, -2] }, [f([5, 6])], f([2, 3])),
  ],
  resize_nearest: resizes('resize_nearest'),
  resize_bilinear: resizes('resize_bilinear'),
  batch_norm: [...NORMS, RUNNING_NORM],
  sum: [
    opCase('to channels', 'sum', {}, [f([2, 3, 4, 5])], f([5])),
    opCase('inner', 'sum', {}, [f([2, 3, 40])], f([2, 3, 1])),
  ],
  broadcast: [
    opCase('channels', 'broadcast', {}, [f([5])], f([2, 3, 5])),
    opCase('image', 'broadcast', {}, [f([2, 1, 1, 3])], f([2, 2, 4, 3])),
  ],
  softmax_cross_entropy: [
    opCase(
      'with a label that is no class',
      'softmax_cross_entropy',
      { smoothing: 0 },
      [f([6, 5]), { shape: [6], dtype: 'int32' }],
      f([1]),
    ),
    opCase(
      'smoothed labels',
      'softmax_cross_entropy',
      { smoothing: 0.125 },
      [f([6, 7]), { shape: [6], dtype: 'int32' }],
      f([1]),
    ),
  ],
};
