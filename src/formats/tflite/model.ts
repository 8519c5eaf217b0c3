import type { OpName, OptionsOf, QUANTIZATION_DETAILS, TensorType } from './schema.ts';

/**
 * A TFLite file as plain immutable objects, closer to the file than to our IR: indices stay indices, names are the
 * schema's, and nothing is interpreted. Left out: what no inference needs (min/max of quantisation, debug metadata).
 */
export interface TfliteModel {
  /** Schema version: 3. */
  readonly version: number;
  readonly description: string;
  readonly operatorCodes: readonly TfliteOperatorCode[];
  /** At least one; the first is the main graph. */
  readonly subgraphs: readonly TfliteSubgraph[];
  /** Bytes by buffer index, views into the file. An empty buffer means `no constant data`; buffer 0 always is empty. */
  readonly buffers: readonly Uint8Array[];
  readonly metadata: readonly TfliteMetadata[];
  readonly signatures: readonly TfliteSignature[];
}

export interface TfliteOperatorCode {
  readonly builtin: number;
  readonly name: TfliteOperatorName;
  /** The name of a CUSTOM operator. */
  readonly custom?: string;
  readonly version: number;
}

/** `BUILTIN_n` stands for an operator that the schema table does not describe. */
export type TfliteOperatorName = OpName | UnknownOpName;
export type UnknownOpName = `BUILTIN_${number}`;

export interface TfliteSubgraph {
  readonly name: string;
  readonly tensors: readonly TfliteTensor[];
  /** Tensor indices. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** In a valid order of execution, so says the format. */
  readonly operators: readonly TfliteOperator[];
}

export interface TfliteTensor {
  readonly name: string;
  /** Every dimension is at least 0 and their product at most 2^31; empty for a scalar. */
  readonly shape: readonly number[];
  /** The shape with -1 for each dynamic dimension, where the file says so. */
  readonly shapeSignature?: readonly number[];
  readonly type: TensorType;
  /** Index into `buffers`. If that buffer is not empty it holds at least the elements of this tensor. */
  readonly buffer: number;
  /** State that starts at the zero point and persists between invocations. */
  readonly isVariable: boolean;
  /** Absent when the tensor is not quantised: no parameters or no scales. */
  readonly quantization?: TfliteQuantization;
  /** The constant is stored in a sparse encoding, which we do not decode. */
  readonly sparse: boolean;
}

/** real = scale * (q - zeroPoint), by channel of `quantizedDimension` when there is more than one scale. */
export interface TfliteQuantization {
  /** float32 values. */
  readonly scale: readonly number[];
  /** One, or as many as there are scales. */
  readonly zeroPoint: readonly number[];
  readonly quantizedDimension: number;
  /** Anything but NONE: a scheme other than scale and zero point, which we do not decode. */
  readonly details: (typeof QUANTIZATION_DETAILS)[number];
}

interface OperatorBase {
  /** Index into `operatorCodes`. */
  readonly opcode: number;
  /** Tensor indices; -1, or a list that ends early, for an optional input that is absent. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Tensor indices of quantisation parameters inside an LSTM; empty for other operators. */
  readonly intermediates: readonly number[];
  /** Of a CUSTOM operator, often a FlexBuffer. */
  readonly customOptions?: Uint8Array;
}

/** The operator with this name and its options, every default applied. */
export type TfliteOperatorOf<Name extends OpName> = {
  readonly [N in Name]: OperatorBase & { readonly name: N; readonly options: OptionsOf<N> };
}[Name];

/** An operator that the schema table does not describe: its options are not decoded. */
export interface TfliteUnknownOperator extends OperatorBase {
  readonly name: UnknownOpName;
  readonly options: Readonly<Record<string, never>>;
}

/** Narrow by name: in `case 'CONV_2D'` the options are those of a convolution. */
export type TfliteOperator = TfliteOperatorOf<OpName> | TfliteUnknownOperator;

export interface TfliteMetadata {
  readonly name: string;
  /** Index into `buffers`. */
  readonly buffer: number;
}

/** Names of the inputs and outputs of a subgraph as its author called them. */
export interface TfliteSignature {
  readonly key: string;
  readonly subgraph: number;
  readonly inputs: readonly TfliteNamedTensor[];
  readonly outputs: readonly TfliteNamedTensor[];
}

export interface TfliteNamedTensor {
  readonly name: string;
  /** Index into the tensors of the signature's subgraph. */
  readonly tensor: number;
}
