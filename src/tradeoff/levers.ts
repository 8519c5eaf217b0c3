/** What can be changed about a graph to need less SRAM: rewrites that keep every byte of the result. */
import type { Graph, ValueId } from '../ir/types.ts';
import { narrowRings, narrowSites } from '../passes/narrow-rings.ts';
import { twoPass, twoPassSites } from '../passes/two-pass.ts';

/**
 * carry: an expansion and its depthwise convolution become one operator that keeps the expanded rows it needs again.
 * recompute: the same, but expands the rows under every window anew. two-pass: a squeeze-and-excite block computes its
 * wide tensor twice instead of holding it.
 */
export type LeverKind = 'carry' | 'recompute' | 'two-pass';

export interface Lever {
  readonly kind: LeverKind;
  /** The operator of the model it starts from: `origin.index`. */
  readonly operator: number;
  /** The value that names a two-pass site; null for the others. */
  readonly value: ValueId | null;
  /** Bytes that need not be kept any more. */
  readonly bytes: number;
  /** Multiply-accumulates that one inference does more. */
  readonly extraMacs: number;
}

/** Every lever of a graph. Carry and recompute of one operator exclude each other. */
export function leversOf(graph: Graph): Lever[] {
  const narrow = narrowSites(graph).flatMap(({ id, extraMacs, ringBytes, carriedBytes }): Lever[] => {
    const site = { operator: id, value: null };
    const carry: Lever[] =
      carriedBytes !== null && carriedBytes < ringBytes
        ? [{ ...site, kind: 'carry', bytes: ringBytes - carriedBytes, extraMacs: 0 }]
        : [];
    return [...carry, { ...site, kind: 'recompute', bytes: ringBytes, extraMacs }];
  });
  const wide = twoPassSites(graph).map(
    ({ id, origin, bytes, extraMacs }): Lever => ({
      kind: 'two-pass',
      operator: origin.index,
      value: id,
      bytes,
      extraMacs,
    }),
  );
  return [...narrow, ...wide];
}

/** The graph with `levers` applied; the outputs are the same bytes. */
export function applyLevers(graph: Graph, levers: readonly Lever[]): Graph {
  const operators = (kind: LeverKind): Set<number> =>
    new Set(levers.filter((lever) => lever.kind === kind).map(({ operator }) => operator));
  const sites = levers.flatMap(({ value }) => (value === null ? [] : [value]));
  return narrowRings(twoPass(graph, sites), operators('recompute'), operators('carry'));
}
