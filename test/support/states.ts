/** What a graph keeps from one run to the next, as bytes that can be compared between executors. */
import { asBytes } from '../../src/core/dtype.ts';
import type { Graph } from '../../src/ir/types.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Program } from '../../src/program/types.ts';
import type { States } from '../../src/run/reference.ts';
import type { WasmExecutor } from '../../src/run/wasm.ts';

/** The bytes of the reference's states (copies), in the order of the graph's values. */
export function bytesOfStates(states: States): Uint8Array[] {
  return [...states.values()].map(({ data }) => asBytes(data).slice());
}

/** The same of an executor. */
export function statesOf(executor: WasmExecutor, graph: Graph): Uint8Array[] {
  const states = [...graph.values.values()].filter(({ role }) => role === 'state');
  return states.map(({ name }) => executor.state(name).slice());
}

/** Where a program keeps them in the arena. */
export function statePlaces(
  graph: Graph,
  { states }: Program,
  { addresses }: Plan,
): { readonly at: number; readonly bytes: number }[] {
  return [...graph.values.values()]
    .filter(({ role }) => role === 'state')
    .map(({ name }) => states.find((state) => state.name === name)!)
    .map(({ buffer, offset, bytes }) => ({ at: addresses[buffer]! + offset, bytes }));
}
