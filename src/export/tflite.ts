/** Graph -> TFLite file: the inverse of src/import/tflite.ts. */
import { errorDiagnostic, RivuletError } from '../core/diagnostics.ts';
import { writeTflite as writeModel } from '../formats/tflite/writer.ts';
import { describeOrigin, type Graph, type Node, requireValue } from '../ir/types.ts';
import type { NodeView } from '../ops/definition.ts';
import { ExportContext } from './context.ts';
import { TFLITE_EXPORTERS, type TfliteExporter } from './operators.ts';

/**
 * Writes a graph of operators that TFLite has, in any types that TFLite has them in, as a .tflite file that computes the
 * same bytes. What the importer reads comes back as it was; windows and bounds that TFLite has no words for become operators
 * of their own (PAD, MAXIMUM, MINIMUM). Equal graphs give equal bytes.
 * @throws RivuletError RV2001 for operators and states that TFLite does not have, RV2002 for attributes
 */
export function writeTflite(graph: Graph, description = 'written by Rivulet'): Uint8Array {
  const problems = graph.nodes.flatMap((node) => {
    const isKnown = Object.hasOwn(TFLITE_EXPORTERS, node.op) && !readsState(graph, node);
    if (isKnown) return [];
    return [errorDiagnostic('RV2001', `TFLite has no ${node.op}`, { origin: describeOrigin(node.origin) })];
  });
  if (problems.length > 0) throw new RivuletError(problems);
  const context = new ExportContext();
  for (const id of graph.inputs) context.tensorOf(requireValue(graph, id));
  for (const node of graph.nodes) {
    context.begin(node.origin);
    const write = TFLITE_EXPORTERS[node.op as keyof typeof TFLITE_EXPORTERS] as unknown as TfliteExporter<
      typeof node.op
    >;
    write(viewOf(graph, node), context);
  }
  return writeModel(context.model(graph, description));
}

function readsState(graph: Graph, { ins }: Node): boolean {
  return ins.some((id) => id !== null && requireValue(graph, id).role === 'state');
}

function viewOf(graph: Graph, { attrs, ins, outs }: Node): NodeView<Node['op']> {
  return {
    attrs: attrs as never,
    ins: ins.map((id) => (id === null ? null : requireValue(graph, id))),
    outs: outs.map((id) => requireValue(graph, id)),
  };
}
