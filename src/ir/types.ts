/** The graph IR: immutable values and nodes. Built and changed only through `GraphBuilder`. */
import type { DType, TypedArray } from '../core/dtype.ts';
import type { NodeAttributes, OpName } from './attributes.ts';

export type Shape = readonly number[];

/** real = scale * (q - zeroPoint); one pair for the tensor, or one per index of `axis`. */
export interface Quantization {
  /** float32 values held as numbers. */
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly axis: number;
}

export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly quantization?: Quantization;
}

export type ValueId = number;

/**
 * const: known at compile time; input: given by the caller; activation: computed; state: persists from one run to the next
 * and is changed in place by the operators that say so (`OpDef.mutates`), in the order of the nodes.
 */
export type ValueRole = 'input' | 'const' | 'activation' | 'state';

export interface Value extends TensorType {
  readonly id: ValueId;
  readonly name: string;
  readonly role: ValueRole;
  /** Elements in row-major order; present exactly for constants, and for states: what they begin with. */
  readonly data?: TypedArray;
}

/** The place in the user's model that a node comes from; survives every pass, shown in diagnostics, C and reports. */
export interface Origin {
  /** Index of the operator in the file. */
  readonly index: number;
  /** The format's own operator name, e.g. `CONV_2D`. */
  readonly op: string;
  /** The name of the operator's first output in the file. */
  readonly name: string;
}

export interface NodeOf<K extends OpName> {
  readonly op: K;
  readonly attrs: NodeAttributes[K];
  /** null: an optional operand that is absent. */
  readonly ins: readonly (ValueId | null)[];
  readonly outs: readonly ValueId[];
  readonly origin: Origin;
}

export type Node = { [K in OpName]: NodeOf<K> }[OpName];

export interface Graph {
  readonly name: string;
  readonly values: ReadonlyMap<ValueId, Value>;
  /** In execution order. */
  readonly nodes: readonly Node[];
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
}

export function elementCount(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function describeOrigin(origin: Origin): string {
  return `operator ${origin.index} (${origin.op}) "${origin.name}"`;
}

export function requireValue(graph: Graph, id: ValueId): Value {
  const value = graph.values.get(id);
  if (value === undefined) throw new RangeError(`value ${id} is not in graph ${graph.name}`);
  return value;
}

/** The type of a value, without its name, role and data. */
export function typeOf({ shape, dtype, quantization }: Value): TensorType {
  return { shape, dtype, ...(quantization && { quantization }) };
}
