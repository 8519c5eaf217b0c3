/** An ONNX model as plain objects: nothing is interpreted. Left out: documentation, training, functions, sequences, maps. */
import type { DType } from '../../core/dtype.ts';

export interface OnnxModel {
  /** Version of the operators of the domain ''. */
  readonly opset: number;
  readonly graph: OnnxGraph;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  /** Constants by name. */
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  /** Those that have no initializer: older files list all parameters. */
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
}

export interface OnnxNode {
  readonly op: string;
  readonly name: string;
  /** '' for ONNX's own. */
  readonly domain: string;
  /** Names of tensors; '' for an optional one that is absent. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** All that an attribute may be; which of them it is follows from its name. */
export interface OnnxAttribute {
  readonly float: number;
  readonly int: number;
  readonly text: string;
  readonly ints: readonly number[];
  readonly tensor: OnnxTensor | undefined;
}

export interface OnnxTensor {
  readonly shape: readonly number[];
  /** Double and half precision are read as float32. */
  readonly dtype: DType;
  /** As many as the shape says. */
  readonly values: Float32Array | Int8Array | Uint8Array | Int16Array | Int32Array | Float64Array;
}

export interface OnnxPort {
  readonly name: string;
  /** undefined: not one of ours. */
  readonly dtype: DType | undefined;
  /** A name, or '' where nothing is said, for dimensions that are not fixed; undefined: the file has no shape. */
  readonly shape: readonly (number | string)[] | undefined;
}
