/** Where two executors first disagree. */
import { fail } from '../core/diagnostics.ts';
import { DTYPES, fromBytes } from '../core/dtype.ts';
import type { Port, Program } from '../program/types.ts';
import type { Executor, Sample } from './executors.ts';

export interface Comparison {
  readonly identical: boolean;
  /** Layers compared, up to and including the first that differs. */
  readonly layers: number;
  readonly difference: Difference | null;
}

export interface Difference {
  /** A value inside the program, or an output after every layer agreed. */
  readonly kind: 'layer' | 'output';
  /** Index of the layer or output. */
  readonly index: number;
  readonly name: string;
  /** The operator as the model calls it; of an output, empty. */
  readonly op: string;
  readonly shape: readonly number[];
  /** Row-major index of the first element that differs. */
  readonly element: number;
  /** The same by dimension. */
  readonly position: readonly number[];
  /** Raw values there. */
  readonly a: number;
  readonly b: number;
  /** How many elements differ, of how many. */
  readonly differing: number;
  readonly elements: number;
}

/**
 * Compares every finished value of one inference, then the outputs, byte for byte.
 * @throws RivuletError RV9004 if the executors do not report the same layers
 */
export async function compareExecutors(
  program: Program,
  a: Executor,
  b: Executor,
  inputs: Sample,
): Promise<Comparison> {
  const [traceA, traceB] = [await a.trace(inputs), await b.trace(inputs)];
  const layersOf = (trace: typeof traceA) => trace.map(({ call }) => call).join(' ');
  if (layersOf(traceA) !== layersOf(traceB)) {
    fail('RV9004', `${a.name} reports layers ${layersOf(traceA)}, ${b.name} ${layersOf(traceB)}`);
  }
  for (const [i, { call, data }] of traceA.entries()) {
    const { result, origin } = program.calls[call]!;
    const found = firstDifference(result!, data, traceB[i]!.data);
    if (found === null) continue;
    const difference = { kind: 'layer', index: call, name: origin.name, op: origin.op, ...found } as const;
    return { identical: false, layers: i + 1, difference };
  }
  const [[outputsA], [outputsB]] = [await a.run([inputs]), await b.run([inputs])];
  for (const [index, port] of program.outputs.entries()) {
    const found = firstDifference(port, outputsA![index]!, outputsB![index]!);
    if (found === null) continue;
    const difference = { kind: 'output', index, name: port.name, op: '', ...found } as const;
    return { identical: false, layers: traceA.length, difference };
  }
  return { identical: true, layers: traceA.length, difference: null };
}

type Found = Omit<Difference, 'kind' | 'index' | 'name' | 'op'>;

/** Compares bytes, so that two NaN of different bits differ. */
function firstDifference({ dtype, shape }: Port, a: Uint8Array, b: Uint8Array): Found | null {
  const size = DTYPES[dtype].bytes;
  const differing = new Set<number>();
  for (let i = 0; i < a.length; ++i) if (a[i] !== b[i]) differing.add(Math.floor(i / size));
  const [element] = differing;
  if (element === undefined) return null;
  return {
    shape,
    element,
    position: positionOf(element, shape),
    a: Number(fromBytes(dtype, a)[element]),
    b: Number(fromBytes(dtype, b)[element]),
    differing: differing.size,
    elements: a.length / size,
  };
}

function positionOf(element: number, shape: readonly number[]): number[] {
  const position: number[] = [];
  let rest = element;
  for (const size of [...shape].reverse()) {
    position.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return position;
}
