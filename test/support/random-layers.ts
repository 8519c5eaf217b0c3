/** The layers that random graphs are made of: one to four nodes each, of random valid shapes and attributes. */
import type { Clamp, Padding, Pair } from '../../src/ir/attributes.ts';
import { elementCount, type Shape, type TensorType, type ValueId } from '../../src/ir/types.ts';
import { bias, constant, int8, weights } from '../../src/ops/case.ts';
import { windowShape } from '../../src/ops/convolution.ts';
import { scaleOf, zeroPointOf } from '../../src/ops/quantization.ts';
import { broadcastShape } from '../../src/ops/strided.ts';
import { FULL, type RandomSketch } from './random-sketch.ts';

/** Tensors stay below this many elements: the references are slow, and bugs show in small tensors. */
const MAX_ELEMENTS = 1500;

/** Adds nodes and returns the values that later layers may read; null when the pool has no operand for it. */
export type Layer = (sketch: RandomSketch) => ValueId[] | null;

/** Kernel, stride, dilation and padding with at least one output, and the size of that. */
function window(s: RandomSketch, x: TensorType, dilated: boolean) {
  const [, height, width] = x.shape as [number, number, number, number];
  const square = s.chance(0.5);
  const pair = (draw: (axis: number) => number): Pair => {
    const first = draw(0);
    return [first, square ? first : draw(1)];
  };
  const kernel = pair(() => s.pick([1, 1, 2, 3, 3, 3, 4, 5, 7]));
  const dilation: Pair = dilated && s.chance(0.2) ? pair(() => s.integer(1, 3)) : [1, 1];
  const stride = pair(() => s.pick([1, 1, 2, 2, 3]));
  const around = (axis: 0 | 1, size: number): [number, number] => {
    const reach = (kernel[axis] - 1) * dilation[axis];
    const before = s.chance(0.4) ? Math.floor(reach / 2) : s.integer(0, reach);
    const after = s.chance(0.4) ? reach - before : s.integer(0, reach);
    return [before, Math.max(after, reach + 1 - size - before)];
  };
  const padding: Padding = [...around(0, height), ...around(1, width)];
  return { kernel, dilation, stride, padding, size: windowShape(x, kernel, stride, dilation, padding) };
}

/** A scale at which sums of `terms` products of raw values fill int8 without saturating everywhere. */
function sumScale(x: TensorType, terms: number): number {
  return scaleOf(x) * 0.01 * 35 * Math.sqrt(terms);
}

/** Perhaps an explicit PAD, as exporters write it: usually with the zero point, on rows and columns. */
function perhapsPadded(s: RandomSketch, x: ValueId): ValueId {
  return s.chance(0.3) ? pad(s, x) : x;
}

function pad(s: RandomSketch, x: ValueId): ValueId {
  const type = s.type(x);
  const everywhere = s.chance(0.2);
  const amounts = () => type.shape.map((_, d) => (everywhere || d === 1 || d === 2 ? s.integer(0, 2) : 0));
  const [before, after] = [amounts(), amounts()];
  const shape = type.shape.map((size, d) => before[d]! + size + after[d]!);
  if (elementCount(shape) > MAX_ELEMENTS) return x;
  const value = s.chance(0.8) ? zeroPointOf(type) : s.integer(-128, 127);
  return s.node('pad', { before, after, value }, [x], { ...type, shape });
}

/** Perhaps an activation: one that only clamps, or one that rescales too. Both values may be read later. */
function perhapsActivated(s: RandomSketch, y: ValueId): ValueId[] {
  if (s.chance(0.5)) return [y];
  const type = s.type(y);
  const zero = zeroPointOf(type);
  const out = s.chance(0.7) ? type : s.quantized(type.shape, scaleOf(type));
  const six = Math.min(127, Math.max(zero, Math.round(zero + 6 / scaleOf(type))));
  const clamp: Clamp = s.pick([[zero, 127], [zero, six], s.clamp()] as const);
  const attrs = s.pick([{ clamp }, { clamp }, null]);
  const activated = attrs === null ? s.node('quantize', {}, [y], out) : s.node('relu', attrs, [y], out);
  return s.chance(0.2) ? [y, activated] : [activated];
}

const convolution: Layer = (s) => {
  const image = s.image();
  if (image === null) return null;
  const x = perhapsPadded(s, image);
  const type = s.type(x);
  const [batch, , , channels] = type.shape as [number, number, number, number];
  const { kernel, dilation, stride, padding, size } = window(s, type, true);
  const groups = s.chance(0.2) ? s.pick([1, 2, 3, channels].filter((g) => channels % g === 0)) : 1;
  const outChannels = groups * s.integer(1, groups > 1 ? 2 : 7);
  const shape = [batch, ...size, outChannels];
  if (elementCount(shape) > MAX_ELEMENTS) return null;
  const w = weights([outChannels, ...kernel, channels / groups], s.chance(0.8) ? 0 : null, s.seed());
  const y = s.node(
    'conv2d',
    { stride, dilation, padding, clamp: s.clamp() },
    [x, s.constant(w), s.chance(0.8) ? s.constant(bias(outChannels, s.seed())) : null],
    s.quantized(shape, sumScale(type, (kernel[0] * kernel[1] * channels) / groups)),
  );
  return perhapsActivated(s, y);
};

const depthwise: Layer = (s) => {
  const image = s.image();
  if (image === null) return null;
  const x = perhapsPadded(s, image);
  const type = s.type(x);
  const [batch, , , channels] = type.shape as [number, number, number, number];
  const { kernel, dilation, stride, padding, size } = window(s, type, true);
  const outChannels = channels * s.pick([1, 1, 1, 2, 3]);
  const shape = [batch, ...size, outChannels];
  if (elementCount(shape) > MAX_ELEMENTS) return null;
  const w = weights([1, ...kernel, outChannels], s.chance(0.8) ? 3 : null, s.seed());
  const y = s.node(
    'depthwise_conv2d',
    { stride, dilation, padding, clamp: s.clamp() },
    [x, s.constant(w), s.chance(0.8) ? s.constant(bias(outChannels, s.seed())) : null],
    s.quantized(shape, sumScale(type, kernel[0] * kernel[1])),
  );
  return perhapsActivated(s, y);
};

const transposedConvolution: Layer = (s) => {
  const x = s.image();
  if (x === null) return null;
  const type = s.type(x);
  const [batch, height, width, channels] = type.shape as [number, number, number, number];
  const kernel: Pair = [s.integer(1, 4), s.integer(1, 4)];
  const stride: Pair = [s.integer(1, 3), s.integer(1, 3)];
  const padding: Padding = [s.integer(0, 1), s.integer(0, 1), s.integer(0, 1), s.integer(0, 1)];
  const grown = (size: number, axis: 0 | 1, pads: number): number =>
    Math.max(1, (size - 1) * stride[axis] + kernel[axis] - pads + s.integer(0, 1));
  const outChannels = s.integer(1, 4);
  const shape = [
    batch,
    grown(height, 0, padding[0] + padding[1]),
    grown(width, 1, padding[2] + padding[3]),
    outChannels,
  ];
  if (elementCount(shape) > MAX_ELEMENTS) return null;
  const w = weights([outChannels, ...kernel, channels], s.chance(0.8) ? 0 : null, s.seed());
  const ins = [x, s.constant(w), s.chance(0.7) ? s.constant(bias(outChannels, s.seed())) : null];
  const y = s.quantized(shape, sumScale(type, channels * kernel[0] * kernel[1]));
  return perhapsActivated(s, s.node('transpose_conv2d', { stride, padding, clamp: s.clamp() }, ins, y));
};

const fullyConnected: Layer = (s) => {
  const x = s.operand();
  if (x === null) return null;
  const type = s.type(x);
  const flat = s.chance(0.6);
  const inputs = flat ? elementCount(type.shape) / type.shape[0]! : type.shape.at(-1)!;
  const outputs = s.integer(1, 9);
  const shape = flat ? [type.shape[0]!, outputs] : [...type.shape.slice(0, -1), outputs];
  if (elementCount(shape) > MAX_ELEMENTS) return null;
  const w = weights([outputs, inputs], s.chance(0.5) ? 0 : null, s.seed());
  const ins = [x, s.constant(w), s.chance(0.8) ? s.constant(bias(outputs, s.seed())) : null];
  const y = s.quantized(shape, sumScale(type, inputs));
  return perhapsActivated(s, s.node('fully_connected', { clamp: s.clamp() }, ins, y));
};

const pooling: Layer = (s) => {
  const image = s.image();
  if (image === null) return null;
  const x = perhapsPadded(s, image);
  const type = s.type(x);
  const { kernel, stride, padding: wide, size: _ } = window(s, type, false);
  const [top, bottom, left, right] = wide;
  const [h, w] = [kernel[0] - 1, kernel[1] - 1];
  const padding: Padding = [Math.min(top, h), Math.min(bottom, h), Math.min(left, w), Math.min(right, w)];
  const size = windowShape(type, kernel, stride, [1, 1], padding);
  if (size.some((n) => n < 1)) return null;
  const y = { ...type, shape: [type.shape[0]!, ...size, type.shape[3]!] };
  const op = s.pick(['average_pool2d', 'max_pool2d'] as const);
  return perhapsActivated(s, s.node(op, { kernel, stride, padding, clamp: s.clamp() }, [x], y));
};

const mean: Layer = (s) => {
  const x = s.operand(({ shape }) => shape.length >= 2);
  return x === null ? null : [meanOver(s, x)];
};

function meanOver(s: RandomSketch, x: ValueId, axes?: readonly number[]): ValueId {
  const type = s.type(x);
  const rank = type.shape.length;
  const first = rank === 4 && s.chance(0.6) ? 1 : s.integer(0, rank - 1);
  const last = rank === 4 && first === 1 && s.chance(0.8) ? 2 : s.integer(first, rank - 1);
  const over = axes ?? Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const kept = type.shape.map((size, d) => (over.includes(d) ? 1 : size));
  const dropped = kept.filter((_, d) => !over.includes(d));
  const shape = s.chance(0.5) || dropped.length === 0 ? kept : dropped;
  return s.node(
    'mean',
    { axes: over },
    [x],
    s.chance(0.5) ? { ...type, shape } : s.quantized(shape, scaleOf(type) / 2),
  );
}

/** Add and its like on two values that broadcast, a value twice, or a value and a constant on either side. */
const arithmetic: Layer = (s) => {
  const a = s.operand();
  if (a === null) return null;
  const type = s.type(a);
  const fits = (other: TensorType): boolean => {
    const shape = broadcastShape(type.shape, other.shape);
    return shape !== undefined && shape.length <= 4 && elementCount(shape) <= MAX_ELEMENTS;
  };
  const op = s.pick(['add', 'add', 'add', 'sub', 'mul', 'maximum', 'minimum', 'prelu'] as const);
  const alike = op === 'maximum' || op === 'minimum';
  let b = op === 'prelu' || s.chance(0.35) ? constantFor(s, type) : s.operand(fits)!;
  if (alike) b = requantized(s, b, type);
  const ins = op !== 'prelu' && s.chance(0.3) ? [b, a] : [a, b];
  const shape = broadcastShape(type.shape, s.type(b).shape)!;
  if (alike) return [s.node(op, {}, ins, { ...type, shape })];
  if (op === 'prelu') return [s.node(op, {}, ins, s.quantized(shape, scaleOf(type)))];
  const scale = op === 'mul' ? scaleOf(type) * scaleOf(s.type(b)) * 40 : scaleOf(type) + scaleOf(s.type(b));
  const y = s.chance(0.2) && op !== 'mul' ? { ...type, shape } : s.quantized(shape, scale);
  return perhapsActivated(s, s.node(op, { clamp: s.clamp() }, ins, y));
};

/** A constant that broadcasts to `type`, at times computed from other constants. */
function constantFor(s: RandomSketch, type: TensorType): ValueId {
  const shape = s.pick([
    type.shape,
    type.shape.map((size, d) => (d === type.shape.length - 1 || s.chance(0.3) ? size : 1)),
    type.shape.slice(-1),
    [],
  ]);
  const known = s.constant(constant(s.quantized(shape), s.seed()));
  if (s.chance(0.6)) return known;
  const other = s.constant(constant(s.quantized(shape), s.seed()));
  return s.node('mul', { clamp: FULL }, [known, other], s.quantized(shape, 0.1));
}

function requantized(s: RandomSketch, x: ValueId, like: TensorType): ValueId {
  const type = s.type(x);
  const same = scaleOf(type) === scaleOf(like) && zeroPointOf(type) === zeroPointOf(like);
  return same ? x : s.node('quantize', {}, [x], { ...like, shape: type.shape });
}

const concatenation: Layer = (s) => {
  const x = s.operand();
  if (x === null) return null;
  const type = s.type(x);
  const axis = s.integer(0, type.shape.length - 1);
  const joins = ({ shape }: TensorType): boolean =>
    shape.length === type.shape.length && shape.every((size, d) => d === axis || size === type.shape[d]);
  const parts = [x];
  for (let more = s.integer(1, 2); more > 0; --more) {
    const shape = type.shape.map((size, d) => (d === axis ? s.integer(1, 3) : size));
    parts.push(
      s.chance(0.2)
        ? s.constant(constant({ ...int8(shape, scaleOf(type), zeroPointOf(type)) }, s.seed()))
        : requantized(s, s.operand(joins)!, type),
    );
  }
  const size = parts.reduce((sum, part) => sum + s.type(part).shape[axis]!, 0);
  const shape = type.shape.map((n, d) => (d === axis ? size : n));
  if (elementCount(shape) > MAX_ELEMENTS) return null;
  const ordered = s.chance(0.5) ? parts : parts.toReversed();
  return [s.node('concat', { axis }, ordered, { ...type, shape })];
};

/** One slice, or two that share their operand. */
const slicing: Layer = (s) => {
  const x = s.operand();
  if (x === null) return null;
  const type = s.type(x);
  const cut = (): ValueId => {
    const strides = type.shape.map(() => s.pick([1, 1, 1, 2, -1]));
    const begin = type.shape.map((size) => s.integer(0, size - 1));
    const shape = type.shape.map((size, d) => {
      const room = strides[d]! > 0 ? size - 1 - begin[d]! : begin[d]!;
      return (
        1 + s.integer(Math.floor(room / Math.abs(strides[d]!) / 2), Math.floor(room / Math.abs(strides[d]!)))
      );
    });
    return s.node('slice', { begin, strides }, [x], { ...type, shape });
  };
  return s.chance(0.3) ? [cut(), cut()] : [cut()];
};

/** Other groupings of the same elements; rarely with another quantisation, which does not change the raw values. */
const reshaping: Layer = (s) => {
  const x = s.operand();
  if (x === null) return null;
  const type = s.type(x);
  const [first, last] = [type.shape[0] ?? 1, type.shape.at(-1) ?? 1];
  const count = elementCount(type.shape);
  const shape = s.pick<Shape>([
    type.shape,
    [count],
    [first, count / first],
    [first, 1, count / first / last || 1, last].map((n, i) => (count === first * last && i === 3 ? last : n)),
    [first, count / first, 1, 1],
    [1, ...type.shape].slice(-4),
  ]);
  if (elementCount(shape) !== count) return null;
  return [s.node('reshape', {}, [x], s.chance(0.15) ? s.quantized(shape) : { ...type, shape })];
};

/** Transposes alone, there and back, and before a mean. */
const transposing: Layer = (s) => {
  const x = s.operand(({ shape }) => shape.length >= 2);
  if (x === null) return null;
  const rank = s.type(x).shape.length;
  if (rank !== 4 || s.chance(0.4)) return [transposed(s, x, shuffled(s, rank))];
  const planar = transposed(s, x, [0, 3, 1, 2]);
  if (s.chance(0.4)) return [planar, meanOver(s, planar, s.pick([[2, 3], [2], [1], [1, 2, 3]]))];
  if (s.chance(0.5)) return [transposed(s, planar, [0, 2, 3, 1])];
  const type = s.type(planar);
  return [transposed(s, s.node('relu', { clamp: s.clamp() }, [planar], type), [0, 2, 3, 1])];
};

function transposed(s: RandomSketch, x: ValueId, permutation: readonly number[]): ValueId {
  const type = s.type(x);
  return s.node('transpose', { permutation }, [x], {
    ...type,
    shape: permutation.map((d) => type.shape[d]!),
  });
}

function shuffled(s: RandomSketch, rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, d) => d);
  return axes.map((_, d) => {
    const other = s.integer(d, rank - 1);
    [axes[d], axes[other]] = [axes[other]!, axes[d]!];
    return axes[d]!;
  });
}

const resizing: Layer = (s) => {
  const x = s.image();
  if (x === null) return null;
  const type = s.type(x);
  const shape = [type.shape[0]!, s.integer(1, 12), s.integer(1, 12), type.shape[3]!];
  if (elementCount(shape) > MAX_ELEMENTS) return null;
  const op = s.pick(['resize_nearest', 'resize_bilinear'] as const);
  const alignCorners = s.chance(0.3);
  const halfPixelCenters = !alignCorners && s.chance(0.5);
  return [s.node(op, { alignCorners, halfPixelCenters }, [x], { ...type, shape })];
};

const unary: Layer = (s) => {
  const x = s.operand(({ shape }) => shape.length >= 1);
  if (x === null) return null;
  const type = s.type(x);
  const similar = s.quantized(type.shape, scaleOf(type));
  const nodes: readonly (() => ValueId)[] = [
    () => s.node('logistic', {}, [x], int8(type.shape, 1 / 256, -128)),
    () => s.node('tanh', {}, [x], int8(type.shape, 1 / 128, 0)),
    () => s.node('softmax', { beta: s.pick([1, 0.5]) }, [x], int8(type.shape, 1 / 256, -128)),
    () => s.node('hard_swish', {}, [x], similar),
    () => s.node('leaky_relu', { alpha: s.pick([0.1, 0.3, -0.2]) }, [x], s.chance(0.5) ? type : similar),
    () => s.node('quantize', {}, [x], similar),
    () => s.node('relu', { clamp: s.clamp() }, [x], s.chance(0.5) ? type : similar),
    () => pad(s, x),
  ];
  return [s.pick(nodes)()];
};

export const LAYERS: readonly Layer[] = [
  ...[convolution, convolution, convolution, depthwise, depthwise, arithmetic, arithmetic],
  ...[transposedConvolution, fullyConnected, pooling, mean, concatenation, slicing, reshaping],
  ...[transposing, resizing, unary],
];
