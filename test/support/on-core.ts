import type { Optimize } from '../../src/core/isa.ts';
import { emitProject } from '../../src/emit/project.ts';
import type { Graph } from '../../src/ir/types.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Program } from '../../src/program/types.ts';
import { runFirmware } from '../../src/run/execute.ts';
import { buildFirmware } from '../../src/run/firmware.ts';
import { initialStates, runReference } from '../../src/run/reference.ts';
import { inputsFor } from './inputs.ts';
import { bytesOfStates, statePlaces } from './states.ts';

/** A value that two executors do not agree on, after one of the samples. */
export interface Difference {
  readonly sample: number;
  readonly value: string;
}

/**
 * Samples of random inputs one after the other on an emulated core and by the reference, with what is kept from one to the next:
 * the outputs and states that differ.
 */
export async function differencesOnCore(
  graph: Graph,
  { program, plan }: { readonly program: Program; readonly plan: Plan },
  core: string,
  optimize: Optimize,
  seeds: readonly number[],
): Promise<Difference[]> {
  const reads = [
    ...program.outputs.map(({ buffer, bytes }) => ({ at: plan.addresses[buffer]!, bytes })),
    ...statePlaces(graph, program, plan),
  ];
  const firmware = await buildFirmware({
    files: emitProject(program, plan, { name: 'model', optimize, provenance: graph.name }),
    name: 'model',
    inputBytes: program.inputs.map(({ bytes }) => bytes),
    outputBytes: program.outputs.map(({ bytes }) => bytes),
    reads,
    layers: program.calls.length,
    core,
    optimize,
  });
  const samples = seeds.map((seed) => inputsFor(graph, seed));
  const { outputs } = await runFirmware(firmware, samples, { timeoutMs: 300_000 });
  const states = initialStates(graph);
  const kept = [...graph.values.values()].filter(({ role }) => role === 'state');
  const names = [...graph.outputs.map((id) => graph.values.get(id)!), ...kept].map(({ name }) => name);
  return samples.flatMap((inputs, sample) => {
    const expected = [...runReference(graph, inputs, undefined, states), ...bytesOfStates(states)];
    return names
      .filter((_, i) => !sameBytes(outputs[sample]![i]!, expected[i]!))
      .map((value) => ({ sample, value }));
  });
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
