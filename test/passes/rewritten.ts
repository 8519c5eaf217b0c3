/** What every rewrite that spends MACs owes: a valid graph of the same bytes, on every executor and schedule. */
import { expect } from 'vitest';
import type { Graph } from '../../src/ir/types.ts';
import { lower } from '../../src/lower/lower.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { macsOf } from '../../src/ops/view.ts';
import { plan } from '../../src/plan/plan.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { stream } from '../../src/schedule/stream.ts';
import { inputsFor } from '../support/inputs.ts';

export const SCHEDULES = ['whole', 'stream'] as const;

/** `rewritten` is valid and computes what `graph` does: by the reference and planned for each schedule as WebAssembly. */
export async function expectSameBytes(
  graph: Graph,
  rewritten: Graph,
  schedules: readonly (typeof SCHEDULES)[number][] = SCHEDULES,
): Promise<void> {
  expect(verifyGraph(rewritten)).toEqual([]);
  expect(rewritten.outputs).toEqual(graph.outputs);
  const samples = [1, 2].map((seed) => inputsFor(graph, seed));
  const expected = samples.map((inputs) => runReference(graph, inputs));
  expect(samples.map((inputs) => runReference(rewritten, inputs))).toEqual(expected);
  const program = lower(rewritten);
  for (const schedule of schedules) {
    const planned = schedule === 'stream' ? stream(program) : { program, plan: plan(program) };
    const executor = await WasmExecutor.create(planned.program, planned.plan);
    executor.dirty(3);
    expect(samples.map((inputs) => executor.run(inputs))).toEqual(expected);
  }
}

/** Multiply-accumulates of one inference. */
export function macsOfGraph(graph: Graph): number {
  return graph.nodes.reduce((sum, node) => sum + macsOf(graph, node), 0);
}
