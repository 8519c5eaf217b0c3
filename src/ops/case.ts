/** Small graphs that show every feature of an operator; the conformance test runs each on every executor. */
import { allocate, type DType, type TypedArray } from '../core/dtype.ts';
import { createRandom } from '../core/random.ts';
import type { NodeAttributes, OpName } from '../ir/attributes.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { elementCount, type Graph, type Shape, type TensorType } from '../ir/types.ts';

export interface OpCase {
  /** What is special about it, unique within its operator. */
  readonly name: string;
  /** Usually one node. The test fills the graph's inputs with seeded bytes. */
  readonly graph: Graph;
}

/**
 * An operand of a case: a constant when it has data, or a state that begins with them; an input of the graph otherwise, null
 * when absent.
 */
export type CaseOperand = (TensorType & { readonly data?: TypedArray; readonly persists?: boolean }) | null;

/** A graph of one node whose operands and single output have the given types. */
export function opCase<K extends OpName>(
  name: string,
  op: K,
  attrs: NodeAttributes[K],
  operands: readonly CaseOperand[],
  output: TensorType,
): OpCase {
  const builder = new GraphBuilder(op);
  const ins = operands.map((operand, i) => {
    if (operand === null) return null;
    const { data, persists = false, ...type } = operand;
    if (data === undefined) return builder.input(`x${i}`, type);
    return persists ? builder.state(`s${i}`, type, data) : builder.constant(`c${i}`, type, data);
  });
  const out = builder.activation('y', output);
  builder.node(op, attrs, ins, [out], { index: 0, op, name });
  return { name, graph: builder.build([out]) };
}

/** An int8 type with one scale (rounded to float32) and zero point. */
export function int8(shape: Shape, scale = 0.05, zeroPoint = 0): TensorType {
  return { shape, dtype: 'int8', quantization: perTensor(scale, zeroPoint) };
}

export function uint8(shape: Shape, scale = 0.05, zeroPoint = 128): TensorType {
  return { shape, dtype: 'uint8', quantization: perTensor(scale, zeroPoint) };
}

export function float32(shape: Shape): TensorType {
  return { shape, dtype: 'float32' };
}

/** `type` as a constant with seeded data: uniform raw values for 8-bit types. */
export function constant(type: TensorType, seed: number): TensorType & { readonly data: TypedArray } {
  return { ...type, data: randomIntegers(type, seed, -128, 127) };
}

/** An operand with data as a state that begins with them. */
export function state(operand: NonNullable<CaseOperand>): NonNullable<CaseOperand> {
  return { ...operand, persists: true };
}

/** An operand of one dimension with the given elements. */
export function vector(
  dtype: DType,
  elements: readonly number[],
): TensorType & { readonly data: TypedArray } {
  const data = allocate(dtype, elements.length);
  data.set(elements as number[] & bigint[]);
  return { shape: [elements.length], dtype, data };
}

/**
 * Symmetric int8 weights of `shape` with seeded values in [-127, 127] and seeded scales around `scale`: one per index of
 * `axis`, or a single one when `axis` is null.
 */
export function weights(
  shape: Shape,
  axis: number | null,
  seed: number,
  scale = 0.01,
): TensorType & { readonly data: TypedArray } {
  const random = createRandom(seed + 1);
  const count = axis === null ? 1 : shape[axis]!;
  const scales = Array.from({ length: count }, () => Math.fround(scale * (0.25 + 1.5 * random())));
  const type: TensorType = {
    shape,
    dtype: 'int8',
    quantization: { scales, zeroPoints: scales.map(() => 0), axis: axis ?? 0 },
  };
  return { ...type, data: randomIntegers(type, seed, -127, 127) };
}

/** An int32 bias of seeded values in [-magnitude, magnitude]. */
export function bias(
  channels: number,
  seed: number,
  magnitude = 2000,
): TensorType & { readonly data: TypedArray } {
  const type: TensorType = { shape: [channels], dtype: 'int32' };
  return { ...type, data: randomIntegers(type, seed, -magnitude, magnitude) };
}

function perTensor(scale: number, zeroPoint: number): NonNullable<TensorType['quantization']> {
  return { scales: [Math.fround(scale)], zeroPoints: [zeroPoint], axis: 0 };
}

/** Uniform integers in [lowest, highest]; an unsigned array wraps the negative ones. */
function randomIntegers(type: TensorType, seed: number, lowest: number, highest: number): TypedArray {
  const random = createRandom(seed);
  const data = allocate(type.dtype, elementCount(type.shape));
  for (let i = 0; i < data.length; ++i) data[i] = lowest + Math.floor(random() * (highest - lowest + 1));
  return data;
}
