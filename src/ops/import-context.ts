/** What an operator's `import.ts` works with: one operator of the file, its operands looked up, and a builder. */
import type { Diagnostic, DiagnosticCode } from '../core/diagnostics.ts';
import { toNumbers } from '../core/dtype.ts';
import type { TfliteOperatorOf } from '../formats/tflite/model.ts';
import type { OpName as TfliteOpName } from '../formats/tflite/schema.ts';
import type { Clamp, NodeAttributes, OpName, Padding, Pair } from '../ir/attributes.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Origin, TensorType, Value, ValueId } from '../ir/types.ts';
import { activationBounds } from './activation.ts';
import { samePadding } from './window.ts';

/** Turns one TFLite operator into nodes of the graph under construction. */
export type TfliteImporter<N extends TfliteOpName> = (
  operator: TfliteOperatorOf<N>,
  context: ImportContext,
) => void;

/** Thrown by `reject`: the operator cannot be imported; the driver goes on with the next one and reports all. */
export class Rejection extends Error {
  readonly code: DiagnosticCode;
  readonly hint: string | undefined;

  constructor(code: DiagnosticCode, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

export class ImportContext {
  /** Operands in the file's order, null where an optional one is absent. */
  readonly ins: readonly (Value | null)[];
  readonly outs: readonly Value[];
  readonly origin: Origin;
  readonly warnings: Diagnostic[];
  private readonly builder: GraphBuilder;

  constructor(
    builder: GraphBuilder,
    ins: readonly (Value | null)[],
    outs: readonly Value[],
    origin: Origin,
    warnings: Diagnostic[],
  ) {
    this.builder = builder;
    this.ins = ins;
    this.outs = outs;
    this.origin = origin;
    this.warnings = warnings;
  }

  reject(code: DiagnosticCode, message: string, hint?: string): never {
    throw new Rejection(code, message, hint);
  }

  /** Operand `index`; rejects the operator when it is absent. */
  operand(index: number): Value {
    return this.ins[index] ?? this.reject('RV1004', `operand ${index} is missing`);
  }

  result(index = 0): Value {
    return this.outs[index] ?? this.reject('RV1004', `result ${index} is missing`);
  }

  /** The elements of constant operand `index`, e.g. axes, paddings or sizes. */
  constant(index: number, what: string): number[] {
    const value = this.operand(index);
    if (value.data === undefined) {
      this.reject('RV2008', `${what} is computed by the model`, `${what} must be constant`);
    }
    return toNumbers(value.data);
  }

  /** A dimension number of `rank` dimensions, negative from the end. */
  axis(axis: number, rank: number): number {
    if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
      this.reject('RV2002', `axis ${axis} does not exist in ${rank} dimensions`);
    }
    return axis < 0 ? axis + rank : axis;
  }

  /** Adds a node at this operator's origin. */
  node<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    ins: readonly (Value | null)[],
    outs: readonly Value[] = this.outs,
  ): void {
    const ids = ins.map((value) => value?.id ?? null);
    this.builder.node(
      op,
      attrs,
      ids,
      outs.map((value) => value.id),
      this.origin,
    );
  }

  /** A new value between two nodes of this operator. */
  between(suffix: string, type: TensorType): Value {
    return this.builder.value(this.builder.activation(`${this.origin.name}/${suffix}`, type));
  }

  /** A new constant that the file does not have. */
  constantValue(suffix: string, type: TensorType, data: NonNullable<Value['data']>): Value {
    return this.builder.value(this.builder.constant(`${this.origin.name}/${suffix}`, type, data));
  }

  /** A constant under another type (shape or quantisation), e.g. a scalar seen as a vector. */
  redefine(id: ValueId, type: TensorType): Value {
    this.builder.redefine({ ...this.builder.value(id), ...type });
    return this.builder.value(id);
  }

  /** Output bounds of a fused activation, real or raw: see `activationBounds`. */
  activationClamp(activation: string, output: Value): Clamp {
    if (output.dtype === 'float32') return this.bounds(activation, output);
    if (output.dtype !== 'int8' && output.dtype !== 'uint8') {
      this.reject(
        'RV2003',
        `the output is ${output.dtype}, not int8`,
        'convert the model with full integer quantisation',
      );
    }
    if (output.quantization === undefined) this.reject('RV2004', 'the output has no scale');
    return this.bounds(activation, output);
  }

  private bounds(activation: string, output: Value): Clamp {
    return (
      activationBounds(activation, output) ??
      this.reject('RV2002', `the fused activation ${activation} is not supported`)
    );
  }

  /** Rows and columns of padding for a forward window (`ComputePaddingHeightWidth` of TFLite). */
  padding(scheme: string, input: Pair, kernel: Pair, stride: Pair, dilation: Pair): Padding {
    if (stride.some((s) => s < 1) || dilation.some((d) => d < 1)) {
      this.reject('RV2002', `stride [${stride}] and dilation [${dilation}] must be positive`);
    }
    if (kernel.some((k) => k < 1)) this.reject('RV2002', `the window is ${kernel[0]}x${kernel[1]}`);
    if (scheme === 'VALID') return [0, 0, 0, 0];
    if (scheme !== 'SAME') this.reject('RV2002', `padding ${scheme} is not supported`);
    const [top, bottom] = samePadding(input[0], kernel[0], stride[0], dilation[0]);
    const [left, right] = samePadding(input[1], kernel[1], stride[1], dilation[1]);
    return [top, bottom, left, right];
  }
}
