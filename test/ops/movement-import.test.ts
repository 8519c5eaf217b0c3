/** TFLite operators that become slices, joins and reshapes, against index lists written independently. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asBytes } from '../../src/core/dtype.ts';
import { patternBytes } from '../../src/core/random.ts';
import type { TfliteModel } from '../../src/formats/tflite/model.ts';
import { writeTflite } from '../../src/formats/tflite/writer.ts';
import { importTflite } from '../../src/import/tflite.ts';
import { runReference } from '../../src/run/reference.ts';
import { ModelBuilder } from '../support/tflite-models.ts';

const [ROWS, COLUMNS] = [5, 6];

function run(model: TfliteModel): Int8Array[] {
  const { graph } = importTflite(writeTflite(model), 'movement');
  const inputs = graph.inputs.map((id, i) => {
    const shape = graph.values.get(id)!.shape;
    return asBytes(
      patternBytes(
        shape.reduce((a, b) => a * b, 1),
        i + 1,
      ),
    );
  });
  return runReference(graph, inputs).map((bytes) => new Int8Array(bytes.buffer));
}

/** Indices along one axis as Python's x[begin:end:stride] and x[begin] give them; a mask bit stands for an absent bound. */
function walk(size: number, begin: number | null, end: number | null, stride: number): number[] {
  const indices = Array.from({ length: size }, (_, i) => i);
  const normal = (i: number): number => (i < 0 ? i + size : i);
  if (stride > 0) {
    const from = begin === null ? 0 : normal(begin);
    const kept = indices.filter((i) => i >= from && (end === null || i < normal(end)));
    return kept.filter((_, i) => i % stride === 0);
  }
  const from = begin === null ? size - 1 : normal(begin);
  const kept = indices.reverse().filter((i) => i <= from && (end === null || i > normal(end)));
  return kept.filter((_, i) => i % -stride === 0);
}

describe('STRIDED_SLICE', () => {
  const axis = (size: number) =>
    fc.record({
      begin: fc.integer({ min: -size - 2, max: size + 2 }),
      end: fc.integer({ min: -size - 2, max: size + 2 }),
      stride: fc.constantFrom(-3, -2, -1, 1, 2, 3),
      hasBegin: fc.boolean(),
      hasEnd: fc.boolean(),
      shrink: fc.boolean(),
    });

  it('gives the elements that Python would', () => {
    fc.assert(
      fc.property(axis(ROWS), axis(COLUMNS), (row, column) => {
        const axes = [row, column];
        const picked = axes.map((a, d) => {
          const size = [ROWS, COLUMNS][d]!;
          if (!a.shrink) return walk(size, a.hasBegin ? a.begin : null, a.hasEnd ? a.end : null, a.stride);
          const at = a.hasBegin ? (a.begin < 0 ? a.begin + size : a.begin) : a.stride > 0 ? 0 : size - 1;
          return [at];
        });
        // An index out of range is an error in Python and clamped in TFLite: not compared.
        fc.pre(picked.every((indices, d) => indices.every((i) => i >= 0 && i < [ROWS, COLUMNS][d]!)));
        const bits = (of: (a: typeof row) => boolean): number =>
          axes.reduce((mask, a, d) => mask | (of(a) ? 1 << d : 0), 0);
        const b = new ModelBuilder();
        const x = b.tensor([ROWS, COLUMNS]);
        const shape = picked.filter((_, d) => !axes[d]!.shrink).map((indices) => indices.length);
        const y = b.tensor(shape);
        const operands = [b.numbers(axes.map((a) => a.begin)), b.numbers(axes.map((a) => a.end))];
        const model = b
          .operator('STRIDED_SLICE', [x, ...operands, b.numbers(axes.map((a) => a.stride))], [y], {
            beginMask: bits((a) => !a.hasBegin),
            endMask: bits((a) => !a.hasEnd),
            shrinkAxisMask: bits((a) => a.shrink),
          })
          .model([x], [y]);
        if (picked.some((indices) => indices.length === 0)) {
          expect(() => run(model)).toThrow(/RV2005/);
          return;
        }
        const input = patternBytes(ROWS * COLUMNS, 1);
        const expected = picked[0]!.flatMap((r) => picked[1]!.map((c) => input[r * COLUMNS + c]!));
        expect([...run(model)[0]!]).toEqual(expected);
      }),
      { numRuns: 400, seed: 7 },
    );
  });

  it('takes whole trailing dimensions and ends relative to the begin', () => {
    const b = new ModelBuilder();
    const [x, y] = [b.tensor([5, 2]), b.tensor([3, 2])];
    const operands = [x, b.numbers([1]), b.numbers([3]), b.numbers([1])];
    const model = b.operator('STRIDED_SLICE', operands, [y], { offset: true }).model([x], [y]);
    expect([...run(model)[0]!]).toEqual([...patternBytes(10, 1).slice(2, 8)]);
  });

  it('rejects ellipsis and new-axis masks', () => {
    const b = new ModelBuilder();
    const [x, y] = [b.tensor([5]), b.tensor([5])];
    const operands = [x, b.numbers([0]), b.numbers([5]), b.numbers([1])];
    const model = b.operator('STRIDED_SLICE', operands, [y], { ellipsisMask: 1 }).model([x], [y]);
    expect(() => run(model)).toThrow(/RV2002/);
  });
});

describe('SLICE and SPLIT', () => {
  it('reads -1 as everything that is left', () => {
    const b = new ModelBuilder();
    const [x, y] = [b.tensor([4, 3]), b.tensor([2, 1])];
    const model = b.operator('SLICE', [x, b.numbers([2, 1]), b.numbers([-1, 1])], [y]).model([x], [y]);
    const input = patternBytes(12, 1);
    expect([...run(model)[0]!]).toEqual([input[7], input[10]]);
  });

  it('cuts unequal parts', () => {
    const b = new ModelBuilder();
    const [x, left, right] = [b.tensor([2, 5]), b.tensor([2, 2]), b.tensor([2, 3])];
    const operands = [x, b.numbers([2, -1]), b.numbers([-1], [])];
    const model = b.operator('SPLIT_V', operands, [left, right], { numSplits: 2 }).model([x], [left, right]);
    const input = [...patternBytes(10, 1)];
    const outputs = run(model).map((data) => [...data]);
    expect(outputs).toEqual([
      [...input.slice(0, 2), ...input.slice(5, 7)],
      [...input.slice(2, 5), ...input.slice(7, 10)],
    ]);
  });

  it('rejects parts that are not the whole', () => {
    const b = new ModelBuilder();
    const [x, left, right] = [b.tensor([5]), b.tensor([2]), b.tensor([2])];
    const operator = b.operator('SPLIT', [b.numbers([0], []), x], [left, right], { numSplits: 2 });
    expect(() => run(operator.model([x], [left, right]))).toThrow(/RV2005/);
  });
});

describe('CONCATENATION', () => {
  it('requantises an input of another scale and says so', () => {
    const b = new ModelBuilder();
    const [a, c] = [
      b.tensor([2], { scale: 0.25, zeroPoint: 4 }),
      b.tensor([2], { scale: 0.5, zeroPoint: -3 }),
    ];
    const y = b.tensor([4], { scale: 0.5, zeroPoint: -3 });
    const model = b.operator('CONCATENATION', [a, c], [y], { axis: 0 }).model([a, c], [y]);
    const { warnings } = importTflite(writeTflite(model), 'concat');
    expect(warnings.map(({ code, severity }) => [code, severity])).toEqual([['RV2004', 'warning']]);
    const [first, second] = [patternBytes(2, 1), patternBytes(2, 2)];
    const half = (q: number): number => Math.sign(q) * Math.floor(Math.abs(q) / 2 + 0.5);
    expect([...run(model)[0]!]).toEqual([...[...first].map((q) => half(q - 4) - 3), ...second]);
  });
});

describe('RELU6', () => {
  it('clamps raw values in the input’s quantisation when the output’s differs, as TFLM does', () => {
    const b = new ModelBuilder();
    const [x, y] = [
      b.tensor([64], { scale: 0.1, zeroPoint: -10 }),
      b.tensor([64], { scale: 0.5, zeroPoint: 9 }),
    ];
    const model = b.operator('RELU6', [x], [y]).model([x], [y]);
    const expected = [...patternBytes(64, 1)].map((q) => Math.min(50, Math.max(-10, q)));
    expect([...run(model)[0]!]).toEqual(expected);
  });
});

describe('PADV2', () => {
  it('rejects a value of another scale', () => {
    const b = new ModelBuilder();
    const [x, y] = [b.tensor([2]), b.tensor([4])];
    const value = b.tensor([], { scale: 0.25, data: Int8Array.of(1) });
    const model = b.operator('PADV2', [x, b.numbers([1, 1], [1, 2]), value], [y]).model([x], [y]);
    expect(() => run(model)).toThrow(/RV2004/);
  });
});

describe('TRANSPOSE', () => {
  it('is a reshape when it only moves dimensions of size 1', () => {
    const b = new ModelBuilder();
    const [x, y] = [b.tensor([1, 3, 1, 4]), b.tensor([3, 4, 1, 1])];
    const model = b.operator('TRANSPOSE', [x, b.numbers([1, 3, 0, 2])], [y]).model([x], [y]);
    expect(importTflite(writeTflite(model), 'transpose').graph.nodes.map(({ op }) => op)).toEqual([
      'reshape',
    ]);
  });
});
