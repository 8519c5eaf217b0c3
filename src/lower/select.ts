import { fail } from '../core/diagnostics.ts';
import type { OpName } from '../ir/attributes.ts';
import { describeOrigin, type Node } from '../ir/types.ts';
import type { Kernel, NodeView } from '../ops/definition.ts';

/** The first kernel of the table that does not refuse the node, and why: its purpose and the reasons of those before. */
export function selectKernel(
  kernels: readonly Kernel<OpName>[],
  view: NodeView<OpName>,
  node: Node,
): { kernel: Kernel<OpName>; why: string } {
  const refusals: string[] = [];
  for (const kernel of kernels) {
    const refusal = kernel.refuses(view);
    if (refusal === undefined) return { kernel, why: [kernel.why, ...refusals].join('; ') };
    refusals.push(`not ${kernel.name}: ${refusal}`);
  }
  return fail('RV2002', `no kernel fits: ${refusals.join('; ')}`, { origin: describeOrigin(node.origin) });
}
