/**
 * Every case of every operator with every set of kernels: the reference against the same Program on WebAssembly, with a
 * dirty arena. Three runs in a row: what one leaves in the states, the next finds there.
 */
import { describe, expect, it } from 'vitest';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { initialStates, runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { inputsFor } from '../support/inputs.ts';
import { KERNEL_SETS, lowered } from '../support/kernel-sets.ts';
import { bytesOfStates, statesOf } from '../support/states.ts';

describe.each(Object.entries(ALL_CASES))('%s', (_, cases) => {
  it.each(cases.map((c) => [c.name, c] as const))('%s', async (_name, { graph }) => {
    expect(verifyGraph(graph)).toEqual([]);
    const samples = [1, 2, 3].map((seed) => inputsFor(graph, seed));
    const states = initialStates(graph);
    const expected = samples.map((inputs) => ({
      outputs: runReference(graph, inputs, undefined, states),
      states: bytesOfStates(states),
    }));
    for (const set of KERNEL_SETS) {
      const { program, plan } = lowered(graph, set);
      const executor = await WasmExecutor.create(program, plan);
      samples.forEach((inputs, i) => {
        executor.dirty((i + 1) * 85);
        const outputs = executor.run(inputs);
        expect({ outputs, states: statesOf(executor, graph) }, set.name).toEqual(expected[i]);
      });
    }
  });
});
