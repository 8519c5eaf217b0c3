/** What an operator's exporter works with: tensors, constants and operators of a TFLite file under construction. */

import { fail } from '../core/diagnostics.ts';
import { asBytes, type DType, type TypedArray } from '../core/dtype.ts';
import type {
  TfliteModel,
  TfliteOperator,
  TfliteOperatorCode,
  TfliteOperatorOf,
  TfliteTensor,
} from '../formats/tflite/model.ts';
import { OPS, type OpName, SCHEMA_VERSION, type TensorType as TfliteType } from '../formats/tflite/schema.ts';
import {
  describeOrigin,
  type Graph,
  type Origin,
  requireValue,
  type TensorType,
  type Value,
} from '../ir/types.ts';
import { versionOf } from './versions.ts';

const TYPES: { readonly [T in DType]: TfliteType } = {
  float32: 'FLOAT32',
  int8: 'INT8',
  uint8: 'UINT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  bool: 'BOOL',
};

/** An operand: a value of the graph, or a tensor that only the file has. */
export type Operand = Value | TensorIndex | null;
export interface TensorIndex {
  readonly tensor: number;
}

export class ExportContext {
  private readonly tensors: TfliteTensor[] = [];
  /** Buffer 0 is empty: that of everything that is computed. */
  private readonly buffers: Uint8Array[] = [new Uint8Array()];
  private readonly operators: TfliteOperator[] = [];
  private readonly codes: TfliteOperatorCode[] = [];
  private readonly indices = new Map<number, number>();
  private origin: Origin | undefined;

  /** Says which operator is written from here on; new tensors get its name. */
  begin(origin: Origin): void {
    this.origin = origin;
  }

  reject(message: string): never {
    const place = this.origin && { origin: describeOrigin(this.origin) };
    return fail('RV2002', `${message}, which TFLite cannot say`, place);
  }

  /** The tensor of a value; written when it is first needed. */
  tensorOf(value: Value): number {
    const known = this.indices.get(value.id);
    if (known !== undefined) return known;
    const index = this.add(value.name, value, value.role === 'const' ? value.data : undefined);
    this.indices.set(value.id, index);
    return index;
  }

  /** A constant that the graph does not have: axes, sizes, bounds. */
  constant(suffix: string, type: TensorType, data: TypedArray): TensorIndex {
    return { tensor: this.add(`${this.origin?.name}/${suffix}`, type, data) };
  }

  int32s(suffix: string, values: readonly number[], shape: readonly number[] = [values.length]): TensorIndex {
    return this.constant(suffix, { shape, dtype: 'int32' }, Int32Array.from(values));
  }

  /** A value between two operators that stand for one. */
  between(suffix: string, type: TensorType): TensorIndex {
    return { tensor: this.add(`${this.origin?.name}/${suffix}`, type, undefined) };
  }

  operator<N extends OpName>(
    name: N,
    inputs: readonly Operand[],
    output: Value | TensorIndex,
    options: TfliteOperatorOf<N>['options'],
  ): void {
    const index = (operand: Operand): number =>
      operand === null ? -1 : 'tensor' in operand ? operand.tensor : this.tensorOf(operand);
    const ins = inputs.map(index);
    while (ins.at(-1) === -1) ins.pop();
    const outs = [index(output)];
    const describe = (tensor: number): TfliteTensor | undefined => this.tensors[tensor];
    const version = versionOf(name, ins.map(describe), describe(outs[0]!)!, options);
    const operator = {
      name,
      opcode: this.opcode(name, version),
      inputs: ins,
      outputs: outs,
      intermediates: [],
      options,
    };
    this.operators.push(operator as unknown as TfliteOperator);
  }

  model(graph: Graph, description: string): TfliteModel {
    const indices = (ids: readonly number[]): number[] =>
      ids.map((id) => this.tensorOf(requireValue(graph, id)));
    const [inputs, outputs] = [indices(graph.inputs), indices(graph.outputs)];
    const named = (list: readonly number[]) =>
      list.map((tensor) => ({ name: this.tensors[tensor]!.name, tensor }));
    return {
      version: SCHEMA_VERSION,
      description,
      operatorCodes: this.codes,
      subgraphs: [{ name: 'main', tensors: this.tensors, inputs, outputs, operators: this.operators }],
      buffers: this.buffers,
      metadata: [],
      signatures: [{ key: 'serving_default', subgraph: 0, inputs: named(inputs), outputs: named(outputs) }],
    };
  }

  private add(
    name: string,
    { shape, dtype, quantization }: TensorType,
    data: TypedArray | undefined,
  ): number {
    const buffer = data === undefined ? 0 : this.buffers.push(asBytes(data)) - 1;
    const tensor: TfliteTensor = {
      name,
      shape,
      type: TYPES[dtype],
      buffer,
      isVariable: false,
      sparse: false,
      ...(quantization && {
        quantization: {
          scale: quantization.scales,
          zeroPoint: quantization.zeroPoints,
          quantizedDimension: quantization.axis,
          details: 'NONE',
        },
      }),
    };
    return this.tensors.push(tensor) - 1;
  }

  /** Index of the operator in this version; one entry for each. */
  private opcode(name: OpName, version: number): number {
    const known = this.codes.findIndex((code) => code.name === name && code.version === version);
    return known >= 0 ? known : this.codes.push({ builtin: OPS[name].code, name, version }) - 1;
  }
}
