/**
 * What `verify` lets through must be computable: every case is mutated at random (attributes, shapes, types, scales,
 * operands), and a mutant without a diagnostic must run on the reference and on WebAssembly, with the same result and
 * with all rows inside their tensors.
 */
import { describe, expect, it } from 'vitest';
import { allocate, DTYPES } from '../../src/core/dtype.ts';
import { createRandom } from '../../src/core/random.ts';
import { elementCount, type Graph, type Node, type Value } from '../../src/ir/types.ts';
import { lower } from '../../src/lower/lower.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import type { RowSpec } from '../../src/ops/definition.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { definitionOf, viewOf } from '../../src/ops/view.ts';
import { plan } from '../../src/plan/plan.ts';
import { initialStates, runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { inputsFor } from '../support/inputs.ts';
import { bytesOfStates, statesOf } from '../support/states.ts';

const MUTANTS_PER_CASE = 30;
const NUMBERS = [
  -1e9,
  -129,
  -2,
  -1,
  0,
  0.5,
  1,
  2,
  3,
  7,
  300,
  40000,
  1e9,
  Number.NaN,
  Number.POSITIVE_INFINITY,
];
const SCALES = [Number.NaN, 0, -1, 1e-45, 1e-30, 1e-6, 0.05, 1, 1e6, 1e30, 3e38];
const TYPES = ['int8', 'uint8', 'int16', 'int32', 'float32'] as const;

describe.each(Object.entries(ALL_CASES))('%s', (_, cases) => {
  it('computes every mutant that it accepts', async () => {
    let accepted = 0;
    for (const [c, { name, graph }] of cases.entries()) {
      for (let m = 0; m < MUTANTS_PER_CASE; ++m) {
        const mutant = mutate(graph, createRandom(1000 * c + m));
        if (verifyGraph(mutant).length > 0) continue;
        ++accepted;
        checkRows(mutant);
        const program = lower(mutant);
        const executor = await WasmExecutor.create(program, plan(program));
        const inputs = inputsFor(mutant, m);
        const states = initialStates(mutant);
        const expected = runReference(mutant, inputs, undefined, states);
        const outputs = executor.run(inputs);
        expect({ name, m, outputs, states: statesOf(executor, mutant) }).toEqual({
          name,
          m,
          outputs: expected,
          states: bytesOfStates(states),
        });
      }
    }
    expect(accepted).toBeGreaterThan(0);
  });
});

type Random = () => number;

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)]!;
}

function mutate(graph: Graph, random: Random): Graph {
  if (random() < 0.4) {
    const nodes = graph.nodes.map((node) => ({ ...node, attrs: mutateAny(node.attrs, random) }) as Node);
    return { ...graph, nodes };
  }
  if (random() < 0.1) {
    const nodes = graph.nodes.map((node) => ({
      ...node,
      ins: node.ins.map((id) => (random() < 0.5 ? null : id)),
    }));
    return { ...graph, nodes };
  }
  const victim = pick(random, [...graph.values.keys()]);
  const values = new Map(graph.values);
  values.set(victim, mutateValue(graph.values.get(victim)!, random));
  return { ...graph, values };
}

/** One leaf of attributes becomes another value of its kind, or a list loses or repeats an element. */
function mutateAny(value: unknown, random: Random): unknown {
  if (typeof value === 'number')
    return random() < 0.5 ? value + pick(random, [-1, 1]) : pick(random, NUMBERS);
  if (typeof value === 'boolean') return !value;
  if (Array.isArray(value)) {
    if (random() < 0.1) return random() < 0.5 ? value.slice(1) : [...value, ...value.slice(0, 1)];
    const index = Math.floor(random() * value.length);
    return value.map((item, i) => (i === index ? mutateAny(item, random) : item));
  }
  const entries = Object.entries(value as object);
  const index = Math.floor(random() * entries.length);
  return Object.fromEntries(
    entries.map(([key, item], i) => [key, i === index ? mutateAny(item, random) : item]),
  );
}

/** Another shape, type or quantisation; a constant keeps as many elements as its shape says. */
function mutateValue(value: Value, random: Random): Value {
  const choice = random();
  if (choice < 0.5) return withData({ ...value, shape: mutateShape(value.shape, random) });
  if (choice < 0.65) return withData({ ...value, dtype: pick(random, TYPES) });
  const { quantization, ...rest } = value;
  if (choice < 0.7 || quantization === undefined) return rest;
  const scales = quantization.scales.map((scale) =>
    random() < 0.7 ? Math.fround(pick(random, SCALES)) : scale,
  );
  const zeroPoints = quantization.zeroPoints.map((z) =>
    random() < 0.3 ? pick(random, [-129, -128, 3, 127, 255, 256]) : z,
  );
  if (random() < 0.1)
    return {
      ...rest,
      quantization: { ...quantization, scales: [...scales, 1], zeroPoints: [...zeroPoints, 0] },
    };
  return { ...rest, quantization: { ...quantization, scales, zeroPoints } };
}

function mutateShape(shape: readonly number[], random: Random): number[] {
  if (random() < 0.1) return shape.slice(1);
  if (random() < 0.1) return [pick(random, [1, 2]), ...shape];
  const index = Math.floor(random() * shape.length);
  return shape.map((size, d) => (d === index ? 1 + Math.floor(random() * 9) : size));
}

function withData(value: Value): Value {
  if (value.data === undefined) return value;
  const data = allocate(value.dtype, elementCount(value.shape));
  for (let i = 0; i < data.length; ++i) data[i] = (value.data[i % value.data.length] as number) ?? 0;
  return { ...value, data };
}

function checkRows(graph: Graph): void {
  for (const node of graph.nodes) {
    const { kernels } = definitionOf(node);
    const view = viewOf(graph, node);
    if (kernels === 'alias') continue;
    for (const spec of kernels.find((kernel) => kernel.refuses(view) === undefined)!.bind(view)) {
      for (const slot of spec.slots) expectInside(slot, view.ins[slot.operand]!, spec.firings);
      expectInside(spec.output, view.outs[0]!, spec.firings);
    }
  }
}

function expectInside(rows: RowSpec, value: Value, firings: number): void {
  const bytes = elementCount(value.shape) * DTYPES[value.dtype].bytes;
  expect(rows.rows.length).toBe(firings);
  for (const row of rows.rows) {
    if (row >= 0) expect(rows.offset + row * rows.pitch + rows.rowBytes).toBeLessThanOrEqual(bytes);
  }
  expect(rows.offset).toBeGreaterThanOrEqual(0);
}
