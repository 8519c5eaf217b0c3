/** Collects the tensors, buffers and operators of a TFLite model with one subgraph. */
import { asBytes } from '../core/dtype.ts';
import type {
  TfliteModel,
  TfliteOperator,
  TfliteOperatorOf,
  TfliteQuantization,
  TfliteTensor,
} from '../formats/tflite/model.ts';
import { OPS, SCHEMA_VERSION } from '../formats/tflite/schema.ts';

/** The operators in use, each in the version that its int8 form needs. */
const VERSIONS = {
  PAD: 2,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 3,
  ADD: 2,
  MEAN: 2,
  FULLY_CONNECTED: 4,
} as const;
type OperatorName = keyof typeof VERSIONS;

/** An operator with its options, before it has operands and a place in the file. */
export type Operation = {
  readonly [N in OperatorName]: Pick<TfliteOperatorOf<N>, 'name' | 'options'>;
}[OperatorName];

/** Channel scales, symmetric, along a dimension. */
interface ConstantQuantization {
  readonly scales: readonly number[];
  readonly axis: number;
}

export class Assembler {
  private readonly names: OperatorName[] = [];
  private readonly tensors: TfliteTensor[] = [];
  private readonly operators: TfliteOperator[] = [];
  /** The first one stands for `no data`. */
  private readonly buffers: Uint8Array[] = [new Uint8Array(0)];

  /** The index of an int8 tensor that is an input or computed. */
  activation(name: string, shape: readonly number[], scale: number, zeroPoint: number): number {
    const quantization = { scale: [scale], zeroPoint: [zeroPoint], quantizedDimension: 0 };
    return this.tensor(name, shape, 'INT8', 0, { ...quantization, details: 'NONE' });
  }

  /** The index of a constant tensor; int32 ones without scales are axes and paddings. */
  constant(
    name: string,
    shape: readonly number[],
    data: Int8Array | Int32Array,
    quantization?: ConstantQuantization,
  ): number {
    const buffer = this.buffers.push(asBytes(data)) - 1;
    const type = data instanceof Int8Array ? 'INT8' : 'INT32';
    if (quantization === undefined) return this.tensor(name, shape, type, buffer);
    const { scales, axis } = quantization;
    return this.tensor(name, shape, type, buffer, {
      scale: scales,
      zeroPoint: scales.map(() => 0),
      quantizedDimension: axis,
      details: 'NONE',
    });
  }

  /** Appends an operator; operands and results are indices of tensors. */
  operator(operation: Operation, inputs: readonly number[], outputs: readonly number[]): void {
    if (!this.names.includes(operation.name)) this.names.push(operation.name);
    const opcode = this.names.indexOf(operation.name);
    this.operators.push({ ...operation, opcode, inputs, outputs, intermediates: [] });
  }

  model(description: string, input: number, output: number): TfliteModel {
    const { tensors, operators, buffers } = this;
    return {
      version: SCHEMA_VERSION,
      description,
      operatorCodes: this.names.map((name) => ({ builtin: OPS[name].code, name, version: VERSIONS[name] })),
      subgraphs: [{ name: 'main', tensors, inputs: [input], outputs: [output], operators }],
      buffers,
      metadata: [],
      signatures: [],
    };
  }

  private tensor(
    name: string,
    shape: readonly number[],
    type: TfliteTensor['type'],
    buffer: number,
    quantization?: TfliteQuantization,
  ): number {
    const tensor = { name, shape, type, buffer, isVariable: false, sparse: false };
    return this.tensors.push(quantization === undefined ? tensor : { ...tensor, quantization }) - 1;
  }
}
