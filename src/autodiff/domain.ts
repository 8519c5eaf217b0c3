/** What a gradient rule sees and does. Rules come in sets, one for each arithmetic: a domain. */
import type { TypedArray } from '../core/dtype.ts';
import type { NodeAttributes, OpName } from '../ir/attributes.ts';
import type { NodeOf, TensorType, Value, ValueId } from '../ir/types.ts';

/** Adds nodes to the graph that is being made. */
export interface Emitter {
  /** A node with one result of the given type and, if it matters, name; gives the result. */
  emit<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    ins: readonly (ValueId | null)[],
    type: TensorType,
    name?: string,
  ): ValueId;
  constant(type: TensorType, data: TypedArray): ValueId;
  /** A value that persists; `data` is what it begins with. */
  state(name: string, type: TensorType, data: TypedArray): ValueId;
}

/** One node on the way back. */
export interface GradientContext<K extends OpName> extends Emitter {
  readonly node: NodeOf<K>;
  readonly attrs: NodeAttributes[K];
  readonly ins: readonly (Value | null)[];
  readonly out: Value;
  /** The gradient of `out`. */
  readonly error: ValueId;
  /** Whether the gradient of an operand is needed. */
  wants(operand: number): boolean;
  /** Says what this node adds to the gradient of an operand. */
  contribute(operand: number, gradient: ValueId): void;
  /** The node that computes a value, if one does. */
  producer(id: ValueId): NodeOf<OpName> | undefined;
}

/** Contributes to every operand whose gradient is wanted. */
export type GradientRule<K extends OpName> = (context: GradientContext<K>) => void;

/** For every operator a rule, or the reason why it has none. */
export type GradientRules = { readonly [K in OpName]: GradientRule<K> | string };

export interface Domain {
  readonly rules: GradientRules;
  /** The gradient of the loss with respect to itself. */
  seed(emitter: Emitter, loss: Value): ValueId;
  /** The sum of two gradients of a value that several nodes read. */
  add(emitter: Emitter, a: ValueId, b: ValueId, of: Value): ValueId;
}
