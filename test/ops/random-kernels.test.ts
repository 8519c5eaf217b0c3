/** Operators of random geometry with every set of kernels: the reference against WebAssembly, with a dirty arena. */
import { expect, it } from 'vitest';
import { verifyGraph } from '../../src/ops/verify.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { inputsFor } from '../support/inputs.ts';
import { KERNEL_SETS, lowered } from '../support/kernel-sets.ts';
import { randomCases } from '../support/random-cases.ts';

/** Cases of each kind. */
const COUNT = Number(process.env.RIVULET_FUZZ ?? 60);

it.each(KERNEL_SETS.map((set) => [set.name, set] as const))(
  '%s',
  async (_, set) => {
    for (const { graph, name } of randomCases(1, COUNT)) {
      expect(verifyGraph(graph), name).toEqual([]);
      const { program, plan } = lowered(graph, set);
      const executor = await WasmExecutor.create(program, plan);
      const inputs = inputsFor(graph, 3);
      executor.dirty(77);
      expect(executor.run(inputs), `${program.calls[0]!.kernel}: ${name}`).toEqual(
        runReference(graph, inputs),
      );
    }
  },
  120_000,
);
