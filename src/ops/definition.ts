/** What an operator is: every aspect of it in one object, looked up in the table of ops/table.ts. */
import type { DiagnosticCode } from '../core/diagnostics.ts';
import type { TypedArray } from '../core/dtype.ts';
import type { Isa } from '../core/isa.ts';
import type { NodeAttributes, OpName } from '../ir/attributes.ts';
import type { TensorType, Value } from '../ir/types.ts';

/** A node with its operands and results looked up. */
export interface NodeView<K extends OpName> {
  readonly attrs: NodeAttributes[K];
  readonly ins: readonly (Value | null)[];
  readonly outs: readonly Value[];
}

export interface Tensor extends TensorType {
  readonly data: TypedArray;
}

/** What the reference computes on: operands with data, outputs to be filled completely. */
export interface ReferenceView<K extends OpName> {
  readonly attrs: NodeAttributes[K];
  readonly ins: readonly (Tensor | null)[];
  readonly outs: readonly Tensor[];
}

/** A reason why a node cannot be compiled; becomes a numbered diagnostic at the node's origin. */
export interface Problem {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint?: string;
}

/** One pointer that every firing hands to the kernel: a row of operand `operand`, or NULL where rows[firing] is -1. */
export interface SlotSpec extends RowSpec {
  readonly operand: number;
}

/** Rows of a tensor in memory; all sizes in bytes. */
export interface RowSpec {
  readonly offset: number;
  readonly pitch: number;
  readonly rowBytes: number;
  /** The row of each firing, -1 for none. */
  readonly rows: Int32Array;
}

/** A kernel bound to a node: everything the Program needs to know about it. */
export interface CallSpec {
  /** Exactly the fields of the kernel's `_geometry` struct. */
  readonly geometry: Readonly<Record<string, number>>;
  /** Exactly the fields of the kernel's `_data` struct. */
  readonly data: Readonly<Record<string, KernelConstant>>;
  readonly firings: number;
  readonly slots: readonly SlotSpec[];
  readonly output: RowSpec;
  readonly scratchBytes?: number;
  /** The scratch carries something from one firing to the next (an accumulator). Default false. */
  readonly scratchKeeps?: boolean;
  /** Slots that the output row may overwrite in the firing that reads them. */
  readonly inPlace?: readonly number[];
  /** The same, but at the very same address only. */
  readonly inPlaceExactly?: readonly number[];
  /** Default true: firings may run bottom-up. */
  readonly reversible?: boolean;
}

export interface KernelConstant {
  readonly role: 'weights' | 'table';
  readonly data: TypedArray;
}

/**
 * One kernel that can execute an operator. The rows of an operator's table are tried in order and the first that the core
 * can execute and whose `refuses` gives no reason is taken. Those marked `roomy` come on top: see there.
 */
export interface Kernel<K extends OpName> {
  /** Name in C without the `rv_` prefix: operator, types, variant; the source is kernels/NAME.c beside the operator. */
  readonly name: string;
  readonly isa: Isa;
  /** What it is for, as the report says it. */
  readonly why: string;
  /**
   * Its scratch only buys speed. It takes the place of the kernel selected without it, which must have the same rows, where
   * the finished arena has enough free bytes while the call fires: SRAM never grows for it.
   */
  readonly roomy?: boolean;
  /** Taken only where size is what counts, not speed: least flash, more instructions. */
  readonly small?: boolean;
  /** Parameters read at run time cost it next to nothing: one function serves all calls, whatever is optimised for. */
  readonly shared?: boolean;
  /** The reason why this kernel does not fit the node, or undefined. */
  refuses(view: NodeView<K>): string | undefined;
  /** Usually one call; an operator that writes its output in parts (concat) gives several. */
  bind(view: NodeView<K>): readonly CallSpec[];
}

export interface OpDef<K extends OpName> {
  readonly name: K;
  /** Types, ranks, shapes and quantisation that the operator needs; the first thing that is wrong. */
  verify(view: NodeView<K>): Problem | undefined;
  /** `verify` without the float32 meaning, where there is one: what firmware can be made of. */
  verifyQuantized?(view: NodeView<K>): Problem | undefined;
  /** Operands of role state that it changes in place; their data in a `ReferenceView` is the state itself. */
  readonly mutates?: readonly number[];
  /** Multiply-accumulates of one inference. */
  macs(view: NodeView<K>): number;
  /** The exact meaning. Fills every element of every output. */
  reference(view: ReferenceView<K>): void;
  /** 'alias': the output is the input's bytes under another shape, nothing runs. */
  readonly kernels: readonly Kernel<K>[] | 'alias';
}
