/**
 * Every case of every operator with every set of kernels: the reference against the same Program on WebAssembly, with a
 * dirty arena.
 */
import { describe, expect, it } from 'vitest';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { inputsFor } from '../support/inputs.ts';
import { KERNEL_SETS, lowered } from '../support/kernel-sets.ts';

describe.each(Object.entries(ALL_CASES))('%s', (_, cases) => {
  it.each(cases.map((c) => [c.name, c] as const))('%s', async (_name, { graph }) => {
    expect(verifyGraph(graph)).toEqual([]);
    const samples = [1, 2, 3].map((seed) => inputsFor(graph, seed));
    const expected = samples.map((inputs) => runReference(graph, inputs));
    for (const set of KERNEL_SETS) {
      const { program, plan } = lowered(graph, set);
      const executor = await WasmExecutor.create(program, plan);
      samples.forEach((inputs, i) => {
        executor.dirty((i + 1) * 85);
        expect(executor.run(inputs), set.name).toEqual(expected[i]);
      });
    }
  });
});
