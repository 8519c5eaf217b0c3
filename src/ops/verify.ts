import { type Diagnostic, errorDiagnostic } from '../core/diagnostics.ts';
import { describeOrigin, type Graph } from '../ir/types.ts';
import { definitionOf, viewOf } from './view.ts';

/** The executable specification of a graph: every node obeys its operator's rules. Run after import and every pass. */
export function verifyGraph(graph: Graph): Diagnostic[] {
  return graph.nodes.flatMap((node) => {
    const problem = definitionOf(node).verify(viewOf(graph, node));
    if (problem === undefined) return [];
    const { code, message, hint } = problem;
    return [errorDiagnostic(code, message, { origin: describeOrigin(node.origin), ...(hint && { hint }) })];
  });
}
