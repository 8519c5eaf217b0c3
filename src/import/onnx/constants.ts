/** What exporters leave for the reader to compute: shapes, paddings and other small constants, by operators of ONNX. */
import type { OnnxAttribute, OnnxNode, OnnxTensor } from '../../formats/onnx/model.ts';
import { elementCount, type Quantization, type Shape } from '../../ir/types.ts';
import { broadcastShape, broadcastStrides, stridedOffsets, stridesOf } from '../../ops/strided.ts';

/** Elements of a constant that is computed here; parameters of layers are not. */
const MAX_ELEMENTS = 1 << 16;

/** A constant, and how it was quantised before it was made real while importing. */
export interface KnownTensor extends OnnxTensor {
  readonly quantization?: Quantization;
}

/** What is known of a node: its operands, null where one is absent. */
export interface KnownNode extends Pick<OnnxNode, 'op'> {
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
  readonly ins: readonly (KnownTensor | null)[];
}

type Fold = (node: KnownNode, x: KnownTensor) => KnownTensor | undefined;

/** Operators that know where scales by channel go. */
const KEEP_SCALES: ReadonlySet<string> = new Set(['Identity', 'Transpose']);

const FOLDS: Readonly<Record<string, Fold>> = {
  Identity: (_, x) => x,
  Cast: ({ attributes }, x) => cast(x, attributes.get('to')?.int),
  ConstantOfShape: ({ attributes }, x) => {
    const value = attributes.get('value')?.tensor;
    const shape = [...x.values];
    const like = value ?? { dtype: 'float32' as const, values: Float32Array.of(0), shape: [1] };
    if (!fits(shape)) return undefined;
    return made(
      like,
      shape,
      Array.from({ length: elementCount(shape) }, () => like.values[0] ?? 0),
    );
  },
  Concat: ({ attributes, ins }, x) => {
    const parts = ins as readonly OnnxTensor[];
    // Of vectors, which all of these are.
    if (attributes.get('axis')?.int !== 0 || parts.some(({ shape }) => shape.length !== 1)) return undefined;
    const values = parts.flatMap((part) => [...part.values]);
    return made(x, [values.length], values);
  },
  Reshape: ({ ins }, x) => {
    const shape = ins[1] ? reshaped(x.shape, [...ins[1].values]) : undefined;
    return shape && { ...x, shape };
  },
  Unsqueeze: ({ ins }, x) => {
    const axes = ins[1] ? [...ins[1].values] : [0];
    const rank = x.shape.length + axes.length;
    const at = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
    const sizes = [...x.shape];
    return { ...x, shape: Array.from({ length: rank }, (_, d) => (at.has(d) ? 1 : (sizes.shift() ?? 1))) };
  },
  Squeeze: (_, x) => ({ ...x, shape: x.shape.filter((size) => size !== 1) }),
  Transpose: ({ attributes }, x) => {
    const order = attributes.get('perm')?.ints ?? x.shape.map((_, d) => x.shape.length - 1 - d);
    return order.length === x.shape.length ? permuted(x, order) : undefined;
  },
  Gather: ({ attributes, ins }, x) => {
    const indices = ins[1];
    if ((attributes.get('axis')?.int ?? 0) !== 0 || x.shape.length !== 1 || !indices) return undefined;
    const at = (i: number): number => x.values[i < 0 ? i + x.values.length : i] ?? 0;
    return made(x, indices.shape, Array.from(indices.values, at));
  },
  Slice: ({ ins }, x) => {
    const [start = 0, end = 0, axis = 0, step = 1] = [1, 2, 3, 4].map((i) => ins[i]?.values[0]);
    if (axis < 0 || axis >= x.shape.length || step === 0) return undefined;
    const { first, count } = sliceOf(x.shape[axis]!, start, end, step);
    const strides = stridesOf(x.shape);
    const shape = x.shape.map((size, d) => (d === axis ? count : size));
    const walk = strides.map((stride, d) => (d === axis ? stride * step : stride));
    const from = stridedOffsets(shape, walk, first * strides[axis]!);
    return made(
      x,
      shape,
      Array.from(from, (i) => x.values[i]!),
    );
  },
  Add: (node, x) => arithmetic(node, x, (a, b) => a + b),
  Sub: (node, x) => arithmetic(node, x, (a, b) => a - b),
  Mul: (node, x) => arithmetic(node, x, (a, b) => a * b),
  Div: (node, x) => arithmetic(node, x, (a, b) => (x.dtype === 'float32' ? a / b : Math.trunc(a / b))),
};

/** The result, where all operands are known and the operator is one of these. */
export function fold(node: KnownNode): KnownTensor | undefined {
  const [x] = node.ins;
  if (!x || !Object.hasOwn(FOLDS, node.op) || node.ins.some((i) => i && i.values.length > MAX_ELEMENTS)) {
    return undefined;
  }
  if (KEEP_SCALES.has(node.op)) return FOLDS[node.op]!(node, x);
  const { quantization, ...bare } = x;
  const kept = quantization?.scales.length === 1 ? x : bare;
  return FOLDS[node.op]!(node, kept);
}

/** The tensor with its dimensions in another order: dimension d is dimension order[d] of x. */
export function permuted<T extends KnownTensor>(x: T, order: readonly number[]): T {
  const strides = stridesOf(x.shape);
  const shape = order.map((d) => x.shape[d]!);
  const from = stridedOffsets(
    shape,
    order.map((d) => strides[d]!),
  );
  const values = x.values.slice();
  for (let i = 0; i < from.length; ++i) values[i] = x.values[from[i]!]!;
  const { quantization } = x;
  const axis = order.indexOf(quantization?.axis ?? 0);
  return { ...x, shape, values, ...(quantization && { quantization: { ...quantization, axis } }) };
}

/** ONNX's Reshape: 0 keeps a size, -1 is what is left; undefined where that is no whole number. */
export function reshaped(shape: Shape, wanted: readonly number[]): number[] | undefined {
  const sizes = wanted.map((size, d) => (size === 0 ? (shape[d] ?? 0) : size));
  const known = sizes.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const all = elementCount(shape);
  const full = sizes.map((size) => (size === -1 ? all / known : size));
  const fine = elementCount(full) === all && full.every((size) => Number.isInteger(size) && size >= 1);
  return fine ? full : undefined;
}

/** NumPy's slice of one dimension. */
export function sliceOf(
  size: number,
  start: number,
  end: number,
  step: number,
): { readonly first: number; readonly count: number } {
  const bound = (i: number, low: number, high: number): number =>
    Math.min(high, Math.max(low, i < 0 ? i + size : i));
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const first = bound(start, low, high);
  const last = end < -size ? low : bound(end, low, high);
  return { first, count: Math.max(0, Math.ceil((last - first) / step)) };
}

function arithmetic(
  { ins }: KnownNode,
  a: OnnxTensor,
  evaluate: (a: number, b: number) => number,
): OnnxTensor | undefined {
  const b = ins[1];
  if (!b) return undefined;
  const shape = broadcastShape(a.shape, b.shape);
  if (shape === undefined || !fits(shape)) return undefined;
  const [fromA, fromB] = [a, b].map((x) => stridedOffsets(shape, broadcastStrides(x.shape, shape)));
  return made(
    a,
    shape,
    Array.from(fromA!, (i, n) => evaluate(a.values[i]!, b.values[fromB![n]!]!)),
  );
}

function cast(x: OnnxTensor, to: number | undefined): OnnxTensor | undefined {
  if (to === 1) return { ...x, dtype: 'float32', values: Float32Array.from(x.values) };
  if (to === 6 || to === 7) {
    return { ...x, dtype: to === 6 ? 'int32' : 'int64', values: Float64Array.from(x.values, Math.trunc) };
  }
  return undefined;
}

function made(like: OnnxTensor, shape: Shape, numbers: readonly number[]): OnnxTensor {
  const values = like.dtype === 'float32' ? Float32Array.from(numbers) : Float64Array.from(numbers);
  return { shape, dtype: like.dtype, values };
}

function fits(shape: Shape): boolean {
  return shape.every((size) => Number.isInteger(size) && size >= 0) && elementCount(shape) <= MAX_ELEMENTS;
}
