/** Resizing against positions worked out by hand and against interpolation in real arithmetic. */
import { describe, expect, it } from 'vitest';
import { patternBytes } from '../../src/core/random.ts';
import { elementCount, type Shape } from '../../src/ir/types.ts';
import { int8 } from '../../src/ops/case.ts';
import { resizeBilinear } from '../../src/ops/resize/op.ts';
import { nearestPositions } from '../../src/ops/resize/positions.ts';

describe('nearest', () => {
  it.each([
    ['plain', false, false, 3, 6, [0, 0, 1, 1, 2, 2]],
    ['plain', false, false, 5, 3, [0, 1, 3]],
    ['aligned corners, ties up', true, false, 3, 5, [0, 1, 1, 2, 2]],
    ['aligned corners, one output', true, false, 5, 1, [0]],
    ['half-pixel centres', false, true, 4, 2, [1, 3]],
    ['half-pixel centres', false, true, 2, 5, [0, 0, 1, 1, 1]],
  ] as const)('%s', (_, alignCorners, halfPixelCenters, input, output, expected) => {
    expect([...nearestPositions({ alignCorners, halfPixelCenters }, input, output)]).toEqual(expected);
  });
});

/** Sizes whose ratio is exact in 1/1024, so that only the last rounding remains. */
const EXACT: readonly (readonly [Shape, Shape])[] = [
  [
    [2, 3, 4, 2],
    [2, 6, 8, 2],
  ],
  [
    [1, 8, 4, 3],
    [1, 2, 1, 3],
  ],
  [
    [1, 3, 5, 1],
    [1, 3, 20, 1],
  ],
];
const ALIGNED: readonly (readonly [Shape, Shape])[] = [
  [
    [1, 3, 2, 2],
    [1, 5, 5, 2],
  ],
  [
    [1, 5, 9, 1],
    [1, 3, 5, 1],
  ],
];

describe('bilinear', () => {
  it.each([
    ...EXACT.map((shapes) => [false, false, ...shapes] as const),
    ...EXACT.map((shapes) => [false, true, ...shapes] as const),
    ...ALIGNED.map((shapes) => [true, false, ...shapes] as const),
  ])('align %s, half-pixel %s, [%s] to [%s]', (alignCorners, halfPixelCenters, from, to) => {
    const attrs = { alignCorners, halfPixelCenters };
    const x = { ...int8(from), data: patternBytes(elementCount(from)) };
    const y = { ...int8(to), data: new Int8Array(elementCount(to)) };
    resizeBilinear.reference({ attrs, ins: [x], outs: [y] });
    const position = (o: number, d: number): number => {
      const [input, output] = [from[d]!, to[d]!];
      const scale = alignCorners && output > 1 ? (input - 1) / (output - 1) : input / output;
      const real = halfPixelCenters ? (o + 0.5) * scale - 0.5 : o * scale;
      return Math.min(input - 1, Math.max(0, real));
    };
    const at = (n: number, r: number, s: number, c: number): number =>
      x.data[((n * from[1]! + r) * from[2]! + s) * from[3]! + c]!;
    const mix = (a: number, b: number, weight: number): number => a * (1 - weight) + b * weight;
    for (let i = 0; i < y.data.length; ++i) {
      const c = i % to[3]!;
      const column = position(Math.floor(i / to[3]!) % to[2]!, 2);
      const row = position(Math.floor(i / (to[3]! * to[2]!)) % to[1]!, 1);
      const n = Math.floor(i / (to[3]! * to[2]! * to[1]!));
      const [top, left] = [Math.floor(row), Math.floor(column)];
      const [bottom, right] = [Math.ceil(row), Math.ceil(column)];
      const above = mix(at(n, top, left, c), at(n, top, right, c), column - left);
      const below = mix(at(n, bottom, left, c), at(n, bottom, right, c), column - left);
      expect(Math.abs(y.data[i]! - mix(above, below, row - top))).toBeLessThanOrEqual(0.5);
    }
  });
});
