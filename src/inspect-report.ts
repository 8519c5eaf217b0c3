/** What `inspect` says of a model, whatever its format. */
import type { Diagnostic } from './core/diagnostics.ts';
import type { BLOCKS_FORMAT } from './formats/int8-blocks.ts';
import type { Graph } from './ir/types.ts';

export interface InspectReport {
  readonly file: string;
  readonly format: 'tflite' | 'onnx' | typeof BLOCKS_FORMAT;
  /** Size of the file, or of both. */
  readonly bytes: number;
  readonly description: string;
  /** True if `compile` accepts the model. */
  readonly compilable: boolean;
  readonly inputs: readonly InspectedTensor[];
  readonly outputs: readonly InspectedTensor[];
  /** Multiply-accumulates of one inference, without operators whose number is not known. */
  readonly macs: number;
  /** Elements of weights and biases; a tensor that several operators share counts once. */
  readonly parameters: number;
  /** Their bytes in the file. */
  readonly parameterBytes: number;
  readonly operators: readonly InspectedOperator[];
  /** Everything that keeps the model from being compiled. */
  readonly unsupported: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

export interface InspectedOperator {
  /** Position in the file. */
  readonly index: number;
  /** The format's name; of a custom operator with its own name behind it. */
  readonly op: string;
  /** Name of the first output. */
  readonly name: string;
  /** null: an optional operand that is absent. */
  readonly inputs: readonly (InspectedTensor | null)[];
  readonly outputs: readonly InspectedTensor[];
  /** null where the operator is not known well enough to say. */
  readonly macs: number | null;
  readonly parameters: number;
  readonly supported: boolean;
  /** The entries of `unsupported` that concern this operator. */
  readonly problems: readonly Diagnostic[];
}

export interface InspectedTensor {
  readonly index: number;
  readonly name: string;
  readonly shape: readonly number[];
  /** The shape with -1 for each dynamic dimension; null where the file does not say. */
  readonly shapeSignature: readonly number[] | null;
  readonly dtype: string;
  readonly constant: boolean;
  readonly quantization: InspectedQuantization | null;
}

/** real = scale * (q - zeroPoint), for the tensor or for each channel. */
export type InspectedQuantization =
  | { readonly kind: 'per-tensor'; readonly scale: number; readonly zeroPoint: number }
  | {
      readonly kind: 'per-channel';
      readonly axis: number;
      readonly channels: number;
      readonly smallestScale: number;
      readonly largestScale: number;
    };

/** The graph unless the model cannot be imported, and what keeps it from being compiled. */
export interface Findings {
  readonly graph?: Graph;
  readonly errors: readonly Diagnostic[];
  readonly warnings?: readonly Diagnostic[];
}

/** `axis` is the one that several scales run along. */
export function inspectQuantization(
  scales: readonly number[],
  zeroPoints: readonly number[],
  axis: number,
): InspectedQuantization {
  if (scales.length === 1) return { kind: 'per-tensor', scale: scales[0]!, zeroPoint: zeroPoints[0]! };
  return {
    kind: 'per-channel',
    axis,
    channels: scales.length,
    smallestScale: scales.reduce((least, s) => Math.min(least, s), Number.POSITIVE_INFINITY),
    largestScale: scales.reduce((most, s) => Math.max(most, s), 0),
  };
}
