/**
 * Vector kernels as the instructions they are: cases of operators and random geometries on the emulated core, against the
 * reference. Everywhere else their intrinsics have portable bodies.
 */
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../src/ir/types.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { canRun } from '../support/firmware.ts';
import { joined } from '../support/joined-graph.ts';
import { KERNEL_SETS, type KernelSet, lowered } from '../support/kernel-sets.ts';
import { differencesOnCore } from '../support/on-core.ts';
import { randomCases } from '../support/random-cases.ts';

const CORES = [{ core: 'cortex-m55', isa: 'mve' }] as const;

/** Cases in one firmware. */
const TOGETHER = 40;

const [portable] = KERNEL_SETS as [KernelSet];
const graphs = [...Object.values(ALL_CASES).flat(), ...randomCases(2, 20)].map(({ graph }) => graph);

const kernelsOf = (graph: Graph, set: KernelSet): string =>
  lowered(graph, set)
    .program.calls.map(({ kernel }) => kernel)
    .join();

/** The cases that a set of kernels computes in another way than plain C, in bundles. */
function bundlesFor(set: KernelSet): { set: KernelSet; bundle: readonly Graph[]; number: number }[] {
  const own = graphs.filter((graph) => kernelsOf(graph, set) !== kernelsOf(graph, portable));
  return Array.from({ length: Math.ceil(own.length / TOGETHER) }, (_, i) => ({
    set,
    bundle: own.slice(i * TOGETHER, (i + 1) * TOGETHER),
    number: i + 1,
  }));
}

describe.each(CORES)('$core', ({ core, isa }) => {
  const bundles = KERNEL_SETS.filter(({ isas }) => isas[0] === isa).flatMap(bundlesFor);

  it.skipIf(!canRun(core)).each(bundles)(
    '$set.name, bundle $number',
    async ({ set, bundle, number }) => {
      const optimize = number % 2 === 0 ? 'speed' : 'size';
      const graph = joined('cases', bundle);
      expect(await differencesOnCore(graph, lowered(graph, set), core, optimize, [1, 2])).toEqual([]);
    },
    60_000,
  );
});
