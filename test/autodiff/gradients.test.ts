/** Every gradient rule against finite differences of the reference, both in double precision. */
import { describe, expect, it } from 'vitest';
import { FLOAT_DOMAIN } from '../../src/autodiff/float-rules.ts';
import { gradientGraph } from '../../src/autodiff/training.ts';
import { requireValue } from '../../src/ir/types.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { FLOAT_CASES } from '../support/float-cases.ts';
import { floatInputNames, floatInputs, runInDouble, withLoss } from '../support/float-graphs.ts';

/** Step of central differences; their error is of the order of its square. */
const STEP = 1e-5;
const TOLERANCE = 1e-7;
/** Elements of each operand that are moved. */
const ELEMENTS = 24;

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
}

describe.each(Object.entries(FLOAT_CASES))('%s', (_, cases) => {
  it.each(cases.map((c) => [c.name, c.graph] as const))('%s', (_name, forward) => {
    const graph = withLoss(forward);
    const wanted = graph.inputs.filter((id) => requireValue(graph, id).dtype === 'float32');
    const names = floatInputNames(graph);
    const backward = gradientGraph(graph, 'loss', names);
    expect(verifyGraph(backward, 'float')).toEqual([]);
    for (const seed of [1, 2]) {
      const inputs = floatInputs(graph, seed);
      const gradients = runInDouble(backward, inputs).slice(1);
      wanted.forEach((id, i) => {
        const values = inputs.get(id)!;
        const gradient = gradients[i]!;
        expect(gradient.length).toBe(values.length);
        const stride = Math.max(1, Math.floor(values.length / ELEMENTS));
        for (let e = 0; e < values.length; e += stride) {
          const moved = (by: number): number => {
            const copy = values.slice();
            copy[e]! += by;
            return runInDouble(graph, new Map(inputs).set(id, copy))[0]![0]!;
          };
          const slope = (moved(STEP) - moved(-STEP)) / (2 * STEP);
          expect(
            Math.abs(gradient[e]! - slope),
            `${names[i]}[${e}]: ${gradient[e]} is not ${slope}`,
          ).toBeLessThan(TOLERANCE * largest(gradient));
        }
      });
    }
  });
});

it('has a case for every operator with a rule', () => {
  const derived = Object.entries(FLOAT_DOMAIN.rules).filter(([, rule]) => typeof rule === 'function');
  expect(Object.keys(FLOAT_CASES).sort()).toEqual(derived.map(([name]) => name).sort());
});
