/** What a model file holds, whether or not it can be compiled: operators, shapes, costs, and every reason against it. */
import { type Diagnostic, RivuletError } from './core/diagnostics.ts';
import type {
  TfliteModel,
  TfliteOperator,
  TfliteQuantization,
  TfliteSubgraph,
  TfliteTensor,
} from './formats/tflite/model.ts';
import { readTflite } from './formats/tflite/reader.ts';
import { ELEMENT_BITS } from './formats/tflite/schema.ts';
import { importModel, isOnnx, type ModelBytes } from './import/model.ts';
import { inspectGraph } from './inspect-graph.ts';
import {
  type Findings,
  type InspectedOperator,
  type InspectedQuantization,
  type InspectedTensor,
  type InspectReport,
  inspectQuantization,
} from './inspect-report.ts';
import { elementCount, type Graph } from './ir/types.ts';
import { lower } from './lower/lower.ts';
import { TFLITE_IMPORTERS } from './ops/tflite-importers.ts';
import { runPasses } from './passes/pipeline.ts';

export type { InspectedOperator, InspectedTensor, InspectReport } from './inspect-report.ts';

/**
 * Describes a model.
 * @param model the contents of its file or files
 * @param file its name, for diagnostics
 * @throws RivuletError (RV1xxx) only if the file cannot be read at all
 */
export function inspect(model: ModelBytes, file = 'model'): InspectReport {
  return model instanceof Uint8Array && !isOnnx(file)
    ? inspectTflite(model, file)
    : inspectGraph(model, file, findProblems(model, file));
}

function inspectTflite(bytes: Uint8Array, file: string): InspectReport {
  const { model, warnings } = readTflite(bytes, file);
  const main = model.subgraphs[0]!;
  const found = findProblems(bytes, file);
  const byOperator = assignToOperators(main, found.errors);
  const tensor = (index: number) => inspectTensor(model, main.tensors[index]!, index);
  const operators = main.operators.map((operator, index) =>
    inspectOperator(model, operator, index, byOperator.get(index) ?? []),
  );
  const parameters = new Set(main.operators.flatMap((operator) => parametersOf(model, operator)));
  return {
    file,
    format: 'tflite',
    bytes: bytes.length,
    description: model.description,
    compilable: found.errors.length === 0,
    inputs: main.inputs.map(tensor),
    outputs: main.outputs.map(tensor),
    macs: operators.reduce((sum, operator) => sum + (operator.macs ?? 0), 0),
    parameters: sumOf(parameters, (t) => elementCount(t.shape)),
    parameterBytes: sumOf(parameters, bytesOf),
    operators,
    unsupported: found.errors,
    warnings: found.warnings ?? warnings,
  };
}

/** What `compile` would say, short of placing buffers and printing C. */
function findProblems(model: ModelBytes, file: string): Findings {
  let graph: Graph | undefined;
  try {
    // What an .onnx file holds is shown even where it is not quantised.
    if (isOnnx(file)) graph = importModel(model, file, 'float').graph;
    const imported = importModel(model, file);
    graph = imported.graph;
    lower(runPasses(graph, 'int8'));
    return { graph, errors: [], warnings: imported.warnings };
  } catch (error) {
    if (error instanceof RivuletError) return { ...(graph && { graph }), errors: error.diagnostics };
    throw error;
  }
}

/** Diagnostics by operator, going by their origins; what concerns a tensor goes to the operator that computes it. */
function assignToOperators(
  { operators }: TfliteSubgraph,
  diagnostics: readonly Diagnostic[],
): Map<number, Diagnostic[]> {
  const producers = new Map(operators.flatMap(({ outputs }, index) => outputs.map((t) => [t, index])));
  const assigned = new Map<number, Diagnostic[]>();
  for (const diagnostic of diagnostics) {
    const [, kind, digits] = /^(operator|tensor) (\d+) /.exec(diagnostic.origin ?? '') ?? [];
    const operator = kind === 'operator' ? Number(digits) : producers.get(Number(digits));
    if (operator !== undefined) assigned.set(operator, [...(assigned.get(operator) ?? []), diagnostic]);
  }
  return assigned;
}

function inspectOperator(
  model: TfliteModel,
  operator: TfliteOperator,
  index: number,
  problems: readonly Diagnostic[],
): InspectedOperator {
  const { tensors } = model.subgraphs[0]!;
  const custom = model.operatorCodes[operator.opcode]?.custom;
  const tensor = (t: number) => inspectTensor(model, tensors[t]!, t);
  return {
    index,
    op: custom === undefined ? operator.name : `${operator.name} ${custom}`,
    name: tensors[operator.outputs[0] ?? -1]?.name ?? '',
    inputs: operator.inputs.map((t) => (t < 0 ? null : tensor(t))),
    outputs: operator.outputs.map(tensor),
    macs: macsOf(operator, tensors),
    parameters: sumOf(parametersOf(model, operator), (t) => elementCount(t.shape)),
    supported: problems.length === 0,
    problems,
  };
}

function inspectTensor(model: TfliteModel, tensor: TfliteTensor, index: number): InspectedTensor {
  return {
    index,
    name: tensor.name,
    shape: tensor.shape,
    shapeSignature: tensor.shapeSignature ?? null,
    dtype: tensor.type.toLowerCase(),
    constant: isConstant(model, tensor),
    quantization: tensor.quantization === undefined ? null : inspectTfliteQuantization(tensor.quantization),
  };
}

function inspectTfliteQuantization({
  scale,
  zeroPoint,
  quantizedDimension,
}: TfliteQuantization): InspectedQuantization {
  return inspectQuantization(scale, zeroPoint, quantizedDimension);
}

type Shapes = readonly (readonly number[])[];

/** Multiply-accumulates from the shapes [x, weights] (as the file orders them) and the output's. */
const MACS: Readonly<Record<string, (ins: Shapes, out: readonly number[]) => number>> = {
  CONV_2D: ([, weights], out) => elementCount(out) * elementCount(weights!.slice(1)),
  DEPTHWISE_CONV_2D: ([, weights], out) => elementCount(out) * elementCount(weights!.slice(1, 3)),
  FULLY_CONNECTED: ([, weights], out) => elementCount(out) * elementCount(weights!.slice(1)),
  TRANSPOSE_CONV: ([, weights, x]) => elementCount(x!) * elementCount(weights!.slice(0, 3)),
};

function macsOf(operator: TfliteOperator, tensors: readonly TfliteTensor[]): number | null {
  const ins = operator.inputs.map((t) => tensors[t]?.shape ?? []);
  const output = tensors[operator.outputs[0] ?? -1];
  const rule = MACS[operator.name];
  if (rule === undefined) return operator.name in TFLITE_IMPORTERS ? 0 : null;
  const operands = operator.name === 'TRANSPOSE_CONV' ? 3 : 2;
  return output === undefined || ins.length < operands ? null : rule(ins, output.shape);
}

/** Operators whose third or later operand is an int32 bias. Other constants of that type are shapes, axes and the like. */
const WITH_BIAS = new Set<string>(Object.keys(MACS));

function parametersOf(model: TfliteModel, operator: TfliteOperator): TfliteTensor[] {
  const { tensors } = model.subgraphs[0]!;
  return operator.inputs.flatMap((index, position) => {
    const tensor = tensors[index];
    if (tensor === undefined || !isConstant(model, tensor)) return [];
    const isInteger = tensor.type === 'INT32' || tensor.type === 'INT64';
    return isInteger && !(position >= 2 && WITH_BIAS.has(operator.name)) ? [] : [tensor];
  });
}

function isConstant(model: TfliteModel, tensor: TfliteTensor): boolean {
  return model.buffers[tensor.buffer]!.length > 0;
}

function bytesOf(tensor: TfliteTensor): number {
  return Math.ceil((elementCount(tensor.shape) * (ELEMENT_BITS[tensor.type] ?? 0)) / 8);
}

function sumOf(tensors: Iterable<TfliteTensor>, size: (tensor: TfliteTensor) => number): number {
  return [...tensors].reduce((sum, tensor) => sum + size(tensor), 0);
}
