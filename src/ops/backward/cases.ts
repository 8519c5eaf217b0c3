import type { Padding, Pair, PoolAttributes } from '../../ir/attributes.ts';
import { type CaseOperand, constant, int8, type OpCase, opCase } from '../case.ts';
import { windowOutput } from '../convolution.ts';
import { gradient, gradientScale, mask, zeroGradient } from '../gradient-case.ts';

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
    'what is left of a beside zeros',
    'gradient_sum',
    {},
    [
      gradient([1, 2, 2, 2]),
      gradientScale(-19),
      zeroGradient([1, 2, 2, 2]),
      gradientScale(0),
      gradientScale(0),
    ],
    gradient([1, 2, 2, 2]),
  ),
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

interface Pool {
  readonly size: Pair;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding?: Padding;
  readonly channels?: number;
  readonly masked?: boolean;
  readonly shift?: number;
}

const POOLS: Readonly<Record<string, Pool>> = {
  '2x2, stride 2': { size: [4, 6], kernel: [2, 2], stride: [2, 2], shift: 7 },
  'windows that overlap, masked': {
    size: [5, 7],
    kernel: [3, 3],
    stride: [2, 2],
    padding: [1, 1, 1, 1],
    masked: true,
  },
  'stride 1, asymmetric padding': {
    size: [4, 3],
    kernel: [3, 2],
    stride: [1, 1],
    padding: [2, 0, 0, 1],
    shift: 12,
  },
  'pixels under no window': { size: [7, 8], kernel: [2, 1], stride: [3, 3], channels: 9, masked: true },
  'the whole image': { size: [5, 5], kernel: [5, 5], stride: [1, 1], shift: 3 },
  'an image of one pixel': { size: [1, 1], kernel: [1, 1], stride: [1, 1], channels: 1 },
};

function poolCases(
  op: 'quantized_average_pool2d_gradient' | 'quantized_max_pool2d_gradient',
  operandsBefore: (shape: readonly number[]) => readonly CaseOperand[],
): OpCase[] {
  return Object.entries(POOLS).map(([name, pool]) => {
    const { size, kernel, stride, padding = [0, 0, 0, 0], channels = 3, masked, shift = 0 } = pool;
    const attrs: PoolAttributes = { kernel, stride, padding, clamp: [-128, 127] };
    const out = (d: 0 | 1): number =>
      windowOutput(size[d], kernel[d], stride[d], 1, padding[2 * d]!, padding[2 * d + 1]!);
    const x = [1, ...size, channels];
    const y = [1, out(0), out(1), channels];
    const incoming = [gradient(y), gradientScale(-15), masked ? mask(y) : null, gradientScale(0, shift)];
    return opCase(name, op, attrs, [...operandsBefore(x), ...incoming], gradient(x));
  });
}

export const averagePoolCases = poolCases('quantized_average_pool2d_gradient', () => []);

/** Many windows of an input of few values have several largest ones. */
export const maxPoolCases: readonly OpCase[] = [
  ...poolCases('quantized_max_pool2d_gradient', (shape) => [int8(shape)]),
  ...poolCases('quantized_max_pool2d_gradient', (shape) => {
    const values = constant(int8(shape), 5).data as Int8Array;
    return [{ ...int8(shape), data: values.map((value) => value & 3) }];
  }).map((c) => ({ ...c, name: `${c.name}, four values` })),
];

function unary(name: string, derivative: (x: number) => number, fraction: number, shift: number): OpCase {
  const shape = [1, 3, 5, 3];
  return opCase(
    name,
    'unary_gradient',
    { derivative: Array.from({ length: 256 }, (_, i) => derivative(i - 128)), fraction },
    [int8(shape), gradient(shape), gradientScale(-11), gradientScale(0, shift)],
    gradient(shape),
  );
}

export const unaryCases: readonly OpCase[] = [
  unary('a step', (x) => (x > 0 ? 64 : 0), 6, 6),
  unary('a slope of either sign', (x) => Math.round((x * 127) / 128), 7, 0),
  unary('nothing passes', () => 0, 0, 9),
];

function mul(
  name: string,
  [other, d]: readonly [readonly number[], readonly number[]],
  product: readonly number[],
  { scale = 0.03, masked = false, shift = 0 } = {},
): OpCase {
  return opCase(
    name,
    'mul_gradient',
    {},
    [
      int8(other, scale, -128),
      gradient(product),
      gradientScale(-15),
      masked ? mask(product) : null,
      gradientScale(0, shift),
    ],
    gradient(d),
  );
}

const IMAGE = [1, 4, 5, 3];
const ONE_PIXEL = [1, 1, 1, 3];
const LARGE = [1, 40, 50, 2];

export const mulCases: readonly OpCase[] = [
  mul('two images', [IMAGE, IMAGE], IMAGE, { shift: 15 }),
  mul('an image by one pixel', [ONE_PIXEL, IMAGE], IMAGE, { masked: true }),
  mul('one pixel by an image', [IMAGE, ONE_PIXEL], IMAGE, { masked: true, shift: 17 }),
  mul('a vector by an image', [IMAGE, [3]], IMAGE, { scale: 1e-30 }),
  mul('one pixel by one pixel', [ONE_PIXEL, ONE_PIXEL], ONE_PIXEL, { scale: 1e20, masked: true }),
  mul('more pixels than can be multiplied without a shift', [LARGE, [2]], LARGE, { shift: 22 }),
  opCase(
    'a sum that only its rounding keeps',
    'mul_gradient',
    {},
    [
      { ...int8([2], 1, 3), data: Int8Array.of(4, 2) },
      { ...gradient(LARGE), data: new Int8Array(4000).fill(1, 6, 10) },
      gradientScale(-15),
      null,
      gradientScale(0),
    ],
    gradient([2]),
  ),
  mul('one value for all of many pixels', [[2], [2]], LARGE, { masked: true }),
];
