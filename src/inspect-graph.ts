/** `inspect` for networks whose file has no more tensors than their graph: it is shown as imported. */
import { type Diagnostic, RivuletError } from './core/diagnostics.ts';
import { BLOCKS_FORMAT } from './formats/int8-blocks.ts';
import type { ModelBytes } from './import/model.ts';
import {
  type Findings,
  type InspectedOperator,
  type InspectedTensor,
  type InspectReport,
  inspectQuantization,
} from './inspect-report.ts';
import { describeOrigin, elementCount, type Graph, type Node, requireValue, type Value } from './ir/types.ts';
import { macsOf } from './ops/view.ts';

/** @throws RivuletError if the files cannot be read at all (RV1xxx) */
export function inspectGraph(
  model: ModelBytes,
  file: string,
  { graph, errors, warnings = [] }: Findings,
): InspectReport {
  if (errors.length > 0 && errors.every(({ code }) => code.startsWith('RV1'))) throw new RivuletError(errors);
  const constants = [...(graph?.values.values() ?? [])].filter(({ data }) => data !== undefined);
  const operators = graph?.nodes.map((node) => inspectNode(graph, node, errors)) ?? [];
  const shown = (id: number) => inspectValue(requireValue(graph!, id));
  return {
    file,
    format: model instanceof Uint8Array ? 'onnx' : BLOCKS_FORMAT,
    bytes: model instanceof Uint8Array ? model.length : model.description.length + model.tensors.length,
    description: '',
    compilable: errors.length === 0,
    inputs: graph?.inputs.map(shown) ?? [],
    outputs: graph?.outputs.map(shown) ?? [],
    macs: operators.reduce((sum, { macs }) => sum + (macs ?? 0), 0),
    parameters: constants.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    parameterBytes: constants.reduce((sum, { data }) => sum + data!.byteLength, 0),
    operators,
    unsupported: errors,
    warnings,
  };
}

function inspectNode(graph: Graph, node: Node, errors: readonly Diagnostic[]): InspectedOperator {
  const place = describeOrigin(node.origin);
  const problems = errors.filter(({ origin }) => origin === place);
  const ins = node.ins.map((id) => (id === null ? null : requireValue(graph, id)));
  return {
    index: node.origin.index,
    op: node.origin.op,
    name: node.origin.name,
    inputs: ins.map((value) => value && inspectValue(value)),
    outputs: node.outs.map((id) => inspectValue(requireValue(graph, id))),
    macs: macsOf(graph, node),
    parameters: ins.reduce((sum, value) => sum + (value?.data?.length ?? 0), 0),
    supported: problems.length === 0,
    problems,
  };
}

function inspectValue({ id, name, shape, dtype, data, quantization }: Value): InspectedTensor {
  return {
    index: id,
    name,
    shape,
    shapeSignature: null,
    dtype,
    constant: data !== undefined,
    quantization:
      quantization === undefined
        ? null
        : inspectQuantization(quantization.scales, quantization.zeroPoints, quantization.axis),
  };
}
