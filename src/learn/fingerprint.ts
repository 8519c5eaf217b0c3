/** What tells the saved states of one firmware from those of another. */
import { crc32 } from '../core/crc32.ts';
import { asBytes } from '../core/dtype.ts';
import { fnv1a } from '../core/random.ts';
import { type Graph, typeOf } from '../ir/types.ts';
import type { Scheme } from './scheme.ts';
import type { TrainingGraph } from './training-graph.ts';

/** Two words: of the network with its weights, of what the scheme trains and how, and of the states that follow from both. */
export type Fingerprint = readonly [number, number];

/** Names, the seed and the target have no part in it: states go from one such firmware to another. */
export function fingerprintOf({ inference, graph }: TrainingGraph, scheme: Scheme): Fingerprint {
  const { classes, biases, weights, residualBits, qas, momentum, batch } = scheme;
  const states = statesOf(graph).map(({ name, shape, dtype }) => [name, shape, dtype]);
  const text = JSON.stringify([
    describe(inference),
    { classes, biases, weights, residualBits, qas, momentum, batch },
    states,
  ]);
  const constants = [...inference.values.values()].flatMap(({ data }) => (data ? [asBytes(data)] : []));
  const parts = [new TextEncoder().encode(text), ...constants];
  return [
    parts.reduce((crc, part) => crc32(part, crc), 0),
    parts.reduce<number | undefined>((hash, part) => fnv1a(part, hash), undefined)!,
  ];
}

/** The states of a training graph, in the order in which they are saved. */
export function statesOf(graph: Graph) {
  return [...graph.values.values()].filter(({ role }) => role === 'state');
}

function describe({ nodes, values, inputs, outputs }: Graph): unknown {
  const order = new Map([...values.keys()].map((id, i) => [id, i]));
  return {
    values: [...values.values()].map((value) => [value.role, typeOf(value)]),
    nodes: nodes.map(({ op, attrs, ins, outs }) => [
      op,
      attrs,
      ...[ins, outs].map((ids) => ids.map((id) => (id === null ? null : order.get(id)))),
    ]),
    ends: [inputs, outputs].map((ids) => ids.map((id) => order.get(id))),
  };
}
