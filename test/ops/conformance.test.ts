/** Every case of every operator: the reference against the same Program on WebAssembly, with a dirty arena. */
import { describe, expect, it } from 'vitest';
import { lower } from '../../src/lower/lower.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { plan } from '../../src/plan/plan.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { inputsFor } from '../support/inputs.ts';

describe.each(Object.entries(ALL_CASES))('%s', (_, cases) => {
  it.each(cases.map((c) => [c.name, c] as const))('%s', async (_name, { graph }) => {
    expect(verifyGraph(graph)).toEqual([]);
    const program = lower(graph);
    const executor = await WasmExecutor.create(program, plan(program));
    for (const seed of [1, 2, 3]) {
      const inputs = inputsFor(graph, seed);
      executor.dirty(seed * 85);
      expect(executor.run(inputs)).toEqual(runReference(graph, inputs));
    }
  });
});
