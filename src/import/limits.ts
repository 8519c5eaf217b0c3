/** Whether a model stays within `LIMITS`; looked at before anything is computed from it. */
import { type Diagnostic, errorDiagnostic } from '../core/diagnostics.ts';
import { DTYPES } from '../core/dtype.ts';
import { LIMITS } from '../core/limits.ts';
import type { TfliteSubgraph } from '../formats/tflite/model.ts';
import {
  describeOrigin,
  elementCount,
  type Graph,
  type Node,
  requireValue,
  type TensorType,
} from '../ir/types.ts';
import { rowsOf } from '../ops/rows.ts';
import type { Numbers } from '../ops/verify.ts';
import { definitionOf, viewOf } from '../ops/view.ts';

const HINT = 'Rivulet compiles networks for microcontrollers; use a smaller input or fewer layers';

/** RV2006 for a file that is not worth reading. */
export function fileProblem(bytes: Uint8Array, origin: string): Diagnostic | undefined {
  return bytes.length <= LIMITS.fileBytes
    ? undefined
    : tooLarge('bytes', bytes.length, LIMITS.fileBytes, origin);
}

/** RV2006 for numbers of operators and operands beyond the limits. */
export function declarationProblems(subgraph: TfliteSubgraph, origin: string): Diagnostic[] {
  const { operators, inputs, outputs } = subgraph;
  const operands = operators.map((operator) => operator.inputs.length + operator.outputs.length);
  const most = operands.reduce((a, b) => Math.max(a, b), inputs.length + outputs.length);
  return [
    ...operatorProblems(operators.length, origin),
    ...exceeding('operands and results of one operator', most, LIMITS.operands, origin),
  ];
}

/** RV2006 for too many operators. */
export function operatorProblems(count: number, origin: string): Diagnostic[] {
  return exceeding('operators', count, LIMITS.operators, origin);
}

/** RV2006 for a tensor beyond the limits. */
export function tensorProblem(type: TensorType, origin: string): Diagnostic | undefined {
  const { length } = type.shape;
  const [problem] = [
    ...exceeding('dimensions', length, LIMITS.rank, origin),
    ...exceeding(
      `bytes in [${type.shape.slice(0, LIMITS.rank)}]`,
      tensorBytes(type),
      LIMITS.activationBytes,
      origin,
    ),
  ];
  return problem;
}

/** Times the bytes of int8: what a float32 graph may have before it is quantised. */
const FLOAT_BYTES = 4;

/** RV2006 for everything about a verified graph that is beyond the limits. */
export function limitProblems(graph: Graph, numbers: Numbers = 'quantized'): Diagnostic[] {
  const times = numbers === 'float' ? FLOAT_BYTES : 1;
  const values = [...graph.values.values()];
  const sizes = { activation: 0, constant: 0 };
  for (const value of values)
    sizes[value.data === undefined ? 'activation' : 'constant'] += tensorBytes(value);
  const rows = sum(graph.nodes, (node) => windowRows(graph, node));
  return [
    ...exceeding('bytes of activations', sizes.activation, times * LIMITS.activationBytes, graph.name),
    ...exceeding('bytes of constants', sizes.constant, times * LIMITS.constantBytes, graph.name),
    ...exceeding('rows in all windows', rows, LIMITS.rowEntries, graph.name),
    ...constantWorkProblems(graph),
  ];
}

function tensorBytes({ shape, dtype }: TensorType): number {
  return elementCount(shape) * DTYPES[dtype].bytes;
}

function exceeding(what: string, size: number, limit: number, origin: string): Diagnostic[] {
  return size <= limit ? [] : [tooLarge(what, size, limit, origin)];
}

function tooLarge(what: string, size: number, limit: number, origin: string): Diagnostic {
  return errorDiagnostic('RV2006', `${size} ${what}, the limit is ${limit}`, { origin, hint: HINT });
}

/** Operators that will run while compiling because nothing of theirs depends on the input. */
function constantWorkProblems(graph: Graph): Diagnostic[] {
  const known = new Set(
    [...graph.values.values()].filter(({ data }) => data !== undefined).map(({ id }) => id),
  );
  let work = 0;
  for (const node of graph.nodes) {
    if (node.ins.some((id) => id !== null && !known.has(id))) continue;
    for (const id of node.outs) known.add(id);
    work += workOf(graph, node);
    const problem = exceeding(
      'steps to compute constants',
      work,
      LIMITS.constantWork,
      describeOrigin(node.origin),
    );
    if (problem.length > 0) return problem;
  }
  return [];
}

function workOf(graph: Graph, node: Node): number {
  const view = viewOf(graph, node);
  const elements = sum([...node.ins, ...node.outs], (id) =>
    id === null ? 0 : elementCount(requireValue(graph, id).shape),
  );
  const window = 'kernel' in node.attrs ? node.attrs.kernel[0] * node.attrs.kernel[1] : 1;
  return definitionOf(node).macs(view) + elements * window;
}

/** Output rows times the window rows that each has a table of; 1 for operators without a window. */
function windowRows(graph: Graph, node: Node): number {
  const weights = 'stride' in node.attrs ? node.ins[1] : undefined;
  const height = weights === undefined || weights === null ? 1 : (requireValue(graph, weights).shape[1] ?? 1);
  const window = 'kernel' in node.attrs ? node.attrs.kernel[0] : height;
  return sum(node.outs, (id) => rowsOf(requireValue(graph, id)).count) * window;
}

function sum<T>(items: readonly T[], valueOfItem: (item: T) => number): number {
  return items.reduce((total, item) => total + valueOfItem(item), 0);
}
