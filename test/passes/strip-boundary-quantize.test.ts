import { describe, expect, it } from 'vitest';
import { asBytes } from '../../src/core/dtype.ts';
import type { Graph } from '../../src/ir/types.ts';
import { float32, int8 } from '../../src/ops/case.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { stripBoundaryQuantize } from '../../src/passes/strip-boundary-quantize.ts';
import { runReference } from '../../src/run/reference.ts';
import { inputsFor } from '../support/inputs.ts';
import { expectUntouched, FULL, GraphSketch } from './graphs.ts';

const SHAPE = [1, 2, 3, 2];
const X = int8(SHAPE, 0.05, 4);

/** float -> quantize -> relu -> dequantize -> float; the quantised input may have a second reader. */
function floating(twice = false): Graph {
  const g = new GraphSketch();
  const x = g.input(float32(SHAPE));
  const q = g.node('quantize', {}, [x], X);
  const y = g.node('dequantize', {}, [g.node('relu', FULL, [q], X)], float32(SHAPE));
  return twice
    ? g.build(y, g.node('dequantize', {}, [g.node('quantize', {}, [x], X)], float32(SHAPE)))
    : g.build(y);
}

describe('strip-boundary-quantize', () => {
  it('speaks int8 on both sides and computes the same raw values', () => {
    const graph = floating();
    const stripped = stripBoundaryQuantize.run(graph);
    expect(verifyGraph(stripped)).toEqual([]);
    const types = [...stripped.inputs, ...stripped.outputs].map((id) => stripped.values.get(id)!.dtype);
    expect(types).toEqual(['int8', 'int8']);
    expect(stripped.values.get(stripped.inputs[0]!)!.role).toBe('input');
    const inputs = inputsFor(graph, 1);
    const inside = new Map<string, Uint8Array>();
    runReference(graph, inputs, ({ op }, [out]) => inside.set(op, asBytes(out!.data)));
    expect(runReference(stripped, [inside.get('quantize')!])).toEqual([inside.get('relu')]);
  });

  it('leaves a float input with two readers', () => {
    const stripped = stripBoundaryQuantize.run(floating(true));
    expect(verifyGraph(stripped)).toEqual([]);
    expect(stripped.inputs.map((id) => stripped.values.get(id)!.dtype)).toEqual(['float32']);
  });

  it('leaves a quantize from int8 to int8', () => {
    const g = new GraphSketch();
    expectUntouched(
      stripBoundaryQuantize,
      g.build(g.node('quantize', {}, [g.input(X)], int8(SHAPE, 0.1, 0))),
    );
  });

  it('leaves conversions inside the graph', () => {
    const g = new GraphSketch();
    const floats = g.node('dequantize', {}, [g.input(X)], float32(SHAPE));
    expectUntouched(stripBoundaryQuantize, g.build(g.node('quantize', {}, [floats], int8(SHAPE, 0.1, 0))));
  });

  it('leaves a float input that is an output as well', () => {
    const g = new GraphSketch();
    const x = g.input(float32(SHAPE));
    expectUntouched(stripBoundaryQuantize, g.build(g.node('quantize', {}, [x], X), x));
  });
});
