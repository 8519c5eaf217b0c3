import { fail } from '../core/diagnostics.ts';
import type { KernelChoice } from '../core/isa.ts';
import type { OpName } from '../ir/attributes.ts';
import { describeOrigin, type Node } from '../ir/types.ts';
import type { Kernel, NodeView } from '../ops/definition.ts';

export interface Selected {
  readonly kernel: Kernel<OpName>;
  /** Its purpose, and the reasons why those before it in the table were not taken. */
  readonly why: string;
}

/**
 * The first kernel of the table that the core can execute and that does not refuse the node; and those marked `roomy` that
 * would do as well, best first.
 */
export function selectKernels(
  kernels: readonly Kernel<OpName>[],
  { isas, optimize }: KernelChoice,
  view: NodeView<OpName>,
  node: Node,
): { kernel: Selected; roomy: readonly Selected[] } {
  const refusals: string[] = [];
  const roomy: Selected[] = [];
  for (const kernel of kernels) {
    // What the core cannot execute is no news in a report.
    if (!isas.includes(kernel.isa) || (kernel.small && optimize === 'speed')) continue;
    const refusal = kernel.refuses(view);
    const selected = { kernel, why: [kernel.why, ...refusals].join('; ') };
    if (refusal !== undefined) refusals.push(`not ${kernel.name}: ${refusal}`);
    else if (kernel.roomy) roomy.push(selected);
    else return { kernel: selected, roomy };
  }
  return fail('RV2002', `no kernel fits: ${refusals.join('; ')}`, { origin: describeOrigin(node.origin) });
}
