/** TFLite file -> Graph. Everything that is unsupported in a model is reported at once. */
import { type Diagnostic, errorDiagnostic, RivuletError } from '../core/diagnostics.ts';
import { DTYPES, type DType, fromBytes } from '../core/dtype.ts';
import type { TfliteModel, TfliteOperator, TfliteSubgraph, TfliteTensor } from '../formats/tflite/model.ts';
import { readTflite } from '../formats/tflite/reader.ts';
import { GraphBuilder } from '../ir/builder.ts';
import {
  describeOrigin,
  elementCount,
  type Graph,
  type Origin,
  type Value,
  type ValueId,
} from '../ir/types.ts';
import { ImportContext, Rejection } from '../ops/import-context.ts';
import { TFLITE_IMPORTERS } from '../ops/tflite-importers.ts';
import { type Numbers, verifyGraph } from '../ops/verify.ts';
import { declarationProblems, fileProblem, limitProblems, tensorProblem } from './limits.ts';

const TYPES: Readonly<Record<string, DType>> = {
  FLOAT32: 'float32',
  INT8: 'int8',
  UINT8: 'uint8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  BOOL: 'bool',
};

/** Operators with any number of results; all others have one. */
const SEVERAL_RESULTS: ReadonlySet<string> = new Set(['SPLIT', 'SPLIT_V']);

/**
 * Reads a TFLite flatbuffer into a graph.
 * @param name the graph's name, e.g. the file name without extension
 * @param numbers float: a graph that is not quantised is welcome too
 * @throws RivuletError with every problem found
 */
export function importTflite(
  bytes: Uint8Array,
  name: string,
  numbers: Numbers = 'quantized',
): { graph: Graph; warnings: readonly Diagnostic[] } {
  const tooLarge = fileProblem(bytes, name);
  if (tooLarge !== undefined) throw new RivuletError([tooLarge]);
  const { model, warnings } = readTflite(bytes, name);
  const importer = new Importer(model, name, numbers, [...warnings]);
  return { graph: importer.run(), warnings: importer.warnings };
}

class Importer {
  readonly warnings: Diagnostic[];
  private readonly errors: Diagnostic[] = [];
  /** Code, message and origin of each error, to tell every mistake once. */
  private readonly reported = new Set<string>();
  private readonly model: TfliteModel;
  private readonly subgraph: TfliteSubgraph;
  private readonly name: string;
  private readonly numbers: Numbers;
  private readonly builder: GraphBuilder;
  private readonly values = new Map<number, ValueId>();

  constructor(model: TfliteModel, name: string, numbers: Numbers, warnings: Diagnostic[]) {
    this.model = model;
    this.subgraph = model.subgraphs[0]!;
    this.name = name;
    this.numbers = numbers;
    this.builder = new GraphBuilder(name);
    this.warnings = warnings;
  }

  run(): Graph {
    const { subgraph } = this;
    if (subgraph.inputs.length === 0 || subgraph.outputs.length === 0 || subgraph.operators.length === 0) {
      const counts = `${subgraph.inputs.length} inputs, ${subgraph.operators.length} operators, ${subgraph.outputs.length} outputs`;
      throw new RivuletError([errorDiagnostic('RV2007', `the model has ${counts}`, { origin: this.name })]);
    }
    this.errors.push(...declarationProblems(subgraph, this.name));
    this.throwErrors();
    for (const index of subgraph.inputs) {
      const tensor = this.tensor(index);
      if (this.values.has(index))
        this.error('RV1004', 'the tensor is an input twice', tensorOrigin(tensor, index));
      else this.values.set(index, this.builder.input(tensor.name, this.typeOf(tensor, index)));
    }
    for (const [index, operator] of subgraph.operators.entries()) this.importOperator(operator, index);
    this.throwErrors();
    const graph = this.builder.build(subgraph.outputs.map((index) => this.result(index)));
    this.errors.push(...verifyGraph(graph, this.numbers));
    this.throwErrors();
    this.errors.push(...limitProblems(graph, this.numbers));
    this.throwErrors();
    return graph;
  }

  private importOperator(operator: TfliteOperator, index: number): void {
    const outputName = this.subgraph.tensors[operator.outputs[0] ?? -1]?.name ?? '';
    const custom = this.model.operatorCodes[operator.opcode]?.custom;
    const opName = custom === undefined ? operator.name : `${operator.name} ${custom}`;
    const origin: Origin = { index, op: opName, name: outputName };
    const place = describeOrigin(origin);
    // Operands first: an operator cannot read what it computes.
    const ins = this.operands(operator, place);
    const outs = operator.outputs.map((tensor) => this.define(tensor, place));
    const importer = TFLITE_IMPORTERS[operator.name as keyof typeof TFLITE_IMPORTERS] as
      | ((operator: TfliteOperator, context: ImportContext) => void)
      | undefined;
    if (importer === undefined) {
      this.error(
        'RV2001',
        `${opName} is not supported`,
        place,
        'the supported operators are listed in docs/operators.md',
      );
      return;
    }
    if (outs.length !== 1 && !SEVERAL_RESULTS.has(operator.name)) {
      this.error('RV1004', `${opName} has ${outs.length} results where one belongs`, place);
      return;
    }
    if (ins === undefined) return;
    try {
      const context = new ImportContext(this.builder, ins, outs, origin, this.warnings);
      importer(operator, context);
    } catch (rejection) {
      if (!(rejection instanceof Rejection)) throw rejection;
      this.error(rejection.code, rejection.message, place, rejection.hint);
    }
  }

  /** Null where an optional operand is absent; undefined, and reported, when one cannot be had. */
  private operands(operator: TfliteOperator, place: string): (Value | null)[] | undefined {
    try {
      return operator.inputs.map((tensor) => (tensor < 0 ? null : this.use(tensor, place)));
    } catch (rejection) {
      if (!(rejection instanceof Rejection)) throw rejection;
      this.error(rejection.code, rejection.message, place, rejection.hint);
      return undefined;
    }
  }

  /** The value of a tensor that an operator reads: computed before, or constant. */
  private use(index: number, place: string): Value {
    const known = this.values.get(index);
    if (known !== undefined) return this.builder.value(known);
    const tensor = this.tensor(index);
    const bytes = this.model.buffers[tensor.buffer] ?? new Uint8Array();
    if (bytes.length === 0 && elementCount(tensor.shape) > 0) {
      throw new Rejection(
        'RV1004',
        `tensor ${index} "${tensor.name}" is used by ${place} before it is computed`,
      );
    }
    return this.builder.value(this.constant(tensor, index, bytes));
  }

  private constant(tensor: TfliteTensor, index: number, bytes: Uint8Array): ValueId {
    if (tensor.sparse) throw new Rejection('RV1005', `tensor ${index} "${tensor.name}" is stored sparse`);
    const type = this.typeOf(tensor, index);
    const used = elementCount(tensor.shape) * DTYPES[type.dtype].bytes;
    const id = this.builder.constant(tensor.name, type, fromBytes(type.dtype, bytes.subarray(0, used)));
    this.values.set(index, id);
    return id;
  }

  /** A new value for a tensor that an operator computes. */
  private define(index: number, place: string): Value {
    const tensor = this.tensor(index);
    if (this.values.has(index)) {
      this.error('RV1004', `tensor ${index} "${tensor.name}" is computed twice`, place);
      return this.builder.value(this.values.get(index)!);
    }
    const id = this.builder.activation(tensor.name, this.typeOf(tensor, index));
    this.values.set(index, id);
    return this.builder.value(id);
  }

  private result(index: number): ValueId {
    try {
      return this.use(index, 'the graph outputs').id;
    } catch (rejection) {
      if (!(rejection instanceof Rejection)) throw rejection;
      throw new RivuletError([
        errorDiagnostic(rejection.code, rejection.message, { origin: `output ${index}` }),
      ]);
    }
  }

  private typeOf(tensor: TfliteTensor, index: number): Omit<Value, 'id' | 'name' | 'role' | 'data'> {
    const origin = tensorOrigin(tensor, index);
    const dtype = TYPES[tensor.type];
    if (dtype === undefined) this.error('RV2003', `${tensor.type} tensors are not supported`, origin);
    const type = { shape: tensor.shape, dtype: dtype ?? ('int8' as const) };
    const limit = tensorProblem(type, origin);
    if (limit !== undefined) this.error(limit.code, limit.message, origin, limit.hint);
    if (tensor.shape.some((size) => size === 0))
      this.error('RV2005', `the shape [${tensor.shape}] is empty`, origin);
    if (tensor.shapeSignature?.slice(1).some((size) => size < 0)) {
      this.error(
        'RV2005',
        `the shape [${tensor.shapeSignature}] is dynamic`,
        origin,
        'export the model with a fixed input size; only a dynamic batch is understood (as 1)',
      );
    }
    if (tensor.isVariable) this.error('RV2001', 'variable tensors (state) are not supported', origin);
    if (tensor.quantization !== undefined && tensor.quantization.details !== 'NONE') {
      this.error('RV1005', `quantisation scheme ${tensor.quantization.details} is not supported`, origin);
    }
    if (tensor.quantization === undefined) return type;
    const { scale, zeroPoint, quantizedDimension } = tensor.quantization;
    return { ...type, quantization: { scales: scale, zeroPoints: zeroPoint, axis: quantizedDimension } };
  }

  private tensor(index: number): TfliteTensor {
    return this.subgraph.tensors[index]!;
  }

  private error(code: Diagnostic['code'], message: string, origin: string, hint?: string): void {
    const key = `${code} ${message} ${origin}`;
    if (this.reported.has(key)) return;
    this.reported.add(key);
    this.errors.push(errorDiagnostic(code, message, { origin, ...(hint && { hint }) }));
  }

  private throwErrors(): void {
    if (this.errors.length > 0) throw new RivuletError(this.errors);
  }
}

function tensorOrigin(tensor: TfliteTensor, index: number): string {
  return `tensor ${index} "${tensor.name}"`;
}
