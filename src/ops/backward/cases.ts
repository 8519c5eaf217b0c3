import { type OpCase, opCase } from '../case.ts';
import { gradient, gradientScale, zeroGradient } from '../gradient-case.ts';

function sum(name: string, ea: number, eb: number, shift: number, shape = [1, 2, 5, 3]): OpCase {
  return opCase(
    name,
    'gradient_sum',
    {},
    [gradient(shape), gradientScale(ea), gradient(shape), gradientScale(eb), gradientScale(0, shift)],
    gradient(shape),
  );
}

export const sumCases: readonly OpCase[] = [
  sum('equal exponents', -9, -9, 1),
  sum('a above b, the shift one too large', -9, -12, 5),
  sum('b above a, a shift too small', -30, -19, 2),
  sum('a above b by 16', 4, -12, 16),
  sum('a above b by 17', 4, -13, 16),
  sum('b above a by 24', -24, 0, 16, [1, 1, 1, 1]),
  sum('b above a by 25', -25, 0, 20),
  sum('nothing is left of b', 1000, -1000, 16),
  opCase(
    'zeros',
    'gradient_sum',
    {},
    [
      zeroGradient([1, 2, 2, 2]),
      gradientScale(3),
      zeroGradient([1, 2, 2, 2]),
      gradientScale(-3),
      gradientScale(0, 9),
    ],
    gradient([1, 2, 2, 2]),
  ),
];

function mean(name: string, from: readonly number[], to: readonly number[], shift: number): OpCase {
  return opCase(
    name,
    'mean_gradient',
    {},
    [gradient(from), gradientScale(-20, 3), gradientScale(0, shift)],
    gradient(to),
  );
}

export const meanCases: readonly OpCase[] = [
  mean('4x4 pixels', [1, 1, 1, 6], [1, 4, 4, 6], 0),
  mean('7x7 pixels', [1, 6], [1, 7, 7, 6], 6),
  mean('3x1 pixels, a shift too large', [1, 5], [1, 3, 1, 5], 9),
  mean('one pixel, a shift that means nothing', [1, 1, 1, 4], [1, 1, 1, 4], -1),
];
