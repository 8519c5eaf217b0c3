/**
 * One candidate of a search, or one training: a graph run for a number of steps on an engine, from given states and inputs.
 * Everything in and out is plain data, so that any worker can do it.
 */
import { deserialize, serialize } from 'node:v8';
import { fail } from '../../core/diagnostics.ts';
import type { TypedArray } from '../../core/dtype.ts';
import type { Graph } from '../../ir/types.ts';
import type { Kind, Workers } from '../../workers/workers.ts';
import { type Engine, openEngine } from './engine.ts';
import { type HostName, openHost } from './host.ts';

export interface Candidate {
  readonly graph: Graph;
  /** Default wasm. */
  readonly host?: HostName;
  readonly steps: number;
  /** By input: its elements for every step, one after the other, or once for all steps. */
  readonly inputs: Readonly<Record<string, TypedArray>>;
  /** States to begin with, by name; the others begin as the graph says. Names that the graph lacks are ignored. */
  readonly states?: Readonly<Record<string, Float32Array>>;
  /** Names of outputs to record at every step. */
  readonly record: readonly string[];
  /** Whether the states are wanted at the end. Default false. */
  readonly keepStates?: boolean;
}

export interface CandidateResult {
  /** By output: its elements at every step, one after the other. */
  readonly outputs: Readonly<Record<string, Float32Array>>;
  /** By name; empty unless they were asked for. */
  readonly states: Readonly<Record<string, Float32Array>>;
}

/** Runs all steps. Throws RV3002 where an input has neither its size nor `steps` times that. */
export async function runCandidate(candidate: Candidate): Promise<CandidateResult> {
  const { graph, host = 'wasm', steps, inputs, states = {}, record, keepStates = false } = candidate;
  const engine = openEngine(graph, await openHost(host));
  const names = new Set(engine.stateNames());
  for (const [name, values] of Object.entries(states)) if (names.has(name)) engine.state(name).set(values);
  const fed = Object.entries(inputs).map(([name, values]) => feeder(engine, name, values, steps));
  const recorded = record.map((name) => ({ name, values: engine.output(name), all: [] as number[] }));
  for (let step = 0; step < steps; ++step) {
    for (const feed of fed) feed(step);
    engine.run();
    for (const { values, all } of recorded) for (const value of values) all.push(Number(value));
  }
  const kept = keepStates ? [...names].map((name) => [name, engine.state(name).slice()] as const) : [];
  return {
    outputs: Object.fromEntries(recorded.map(({ name, all }) => [name, Float32Array.from(all)])),
    states: Object.fromEntries(kept),
  };
}

/** Argument: the name of the blob that holds the candidate; result: in base64. */
export const CANDIDATE: Kind<string, string> = {
  name: 'candidate',
  run: async (name, blobs) =>
    serialize(await runCandidate(deserialize(blobs[name]!) as Candidate)).toString('base64'),
};

/** Runs candidates in parallel. Results are in the order of the candidates; the first error ends all. */
export async function runCandidates(
  candidates: readonly Candidate[],
  workers: Workers,
): Promise<CandidateResult[]> {
  const blobs = Object.fromEntries(candidates.map((candidate, i) => [String(i), serialize(candidate)]));
  const native = candidates.some(({ host }) => host === 'native');
  const results = await workers.map({ kind: CANDIDATE, jobs: Object.keys(blobs), blobs, native });
  return results.map((text) => deserialize(Buffer.from(text, 'base64')) as CandidateResult);
}

/** What writes an input's elements of a step. */
function feeder(engine: Engine, name: string, values: TypedArray, steps: number): (step: number) => void {
  const place = engine.input(name);
  const size = place.length;
  if (values.length !== size && values.length !== steps * size) {
    fail('RV3002', `input "${name}" takes ${size} elements a step, there are ${values.length} for ${steps}`);
  }
  const write = (from: number): void => place.set(values.subarray(from, from + size) as never);
  if (values.length === size) {
    write(0);
    return () => {};
  }
  return (step) => write(step * size);
}
