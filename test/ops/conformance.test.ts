/**
 * Every case of every operator with every set of kernels: the reference against the same Program on WebAssembly, with a
 * dirty arena; what persists is compared after every run.
 */
import { describe, expect, it } from 'vitest';
import { asBytes } from '../../src/core/dtype.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { initialStates, runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { inputsFor } from '../support/inputs.ts';
import { KERNEL_SETS, lowered } from '../support/kernel-sets.ts';

describe.each(Object.entries(ALL_CASES))('%s', (_, cases) => {
  it.each(cases.map((c) => [c.name, c] as const))('%s', async (_name, { graph }) => {
    expect(verifyGraph(graph)).toEqual([]);
    const samples = [1, 2, 3].map((seed) => inputsFor(graph, seed));
    const states = initialStates(graph);
    const expected = samples.map((inputs) => {
      const outputs = runReference(graph, inputs, undefined, states);
      return { outputs, states: [...states.values()].map(({ data }) => asBytes(data).slice()) };
    });
    for (const set of KERNEL_SETS) {
      const { program, plan } = lowered(graph, set);
      const executor = await WasmExecutor.create(program, plan);
      samples.forEach((inputs, i) => {
        executor.dirty((i + 1) * 85);
        const outputs = executor.run(inputs);
        const kept = [...states.keys()].map((id) => executor.state(graph.values.get(id)!.name).slice());
        expect({ outputs, states: kept }, set.name).toEqual(expected[i]);
      });
    }
  });
});
