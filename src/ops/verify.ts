import { type Diagnostic, errorDiagnostic } from '../core/diagnostics.ts';
import { describeOrigin, type Graph } from '../ir/types.ts';
import { definitionOf, viewOf } from './view.ts';

/** What a graph may compute with: quantised numbers alone, as models for firmware do, or float32 as well. */
export type Numbers = 'quantized' | 'float';

/** The executable specification of a graph: every node obeys its operator's rules. Run after import and every pass. */
export function verifyGraph(graph: Graph, numbers: Numbers = 'quantized'): Diagnostic[] {
  return graph.nodes.flatMap((node) => {
    const definition = definitionOf(node);
    const view = viewOf(graph, node);
    const problem =
      numbers === 'quantized' && definition.verifyQuantized
        ? definition.verifyQuantized(view)
        : definition.verify(view);
    if (problem === undefined) return [];
    const { code, message, hint } = problem;
    return [errorDiagnostic(code, message, { origin: describeOrigin(node.origin), ...(hint && { hint }) })];
  });
}
