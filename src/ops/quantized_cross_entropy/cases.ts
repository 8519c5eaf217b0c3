import { float32, int8, type OpCase, opCase, state } from '../case.ts';

const LABEL = { shape: [1], dtype: 'int32' } as const;

function loss(name: string, scale: number, shape: readonly number[], label?: number): OpCase {
  const target = label === undefined ? LABEL : { ...LABEL, data: Int32Array.of(label) };
  return opCase(name, 'softmax_cross_entropy_loss', {}, [int8(shape, scale, 3), target], float32([1]));
}

export const lossCases: readonly OpCase[] = [
  loss('ten classes', 0.08, [1, 10], 3),
  loss('an image of one pixel', 0.02, [1, 1, 1, 2], 1),
  loss('one class', 0.5, [1, 1], 0),
  loss('any label', 0.05, [1, 5]),
  loss('a label below', 0.05, [1, 5], -1),
  loss('a label above', 0.05, [1, 5], 5),
  loss('tiny scale, 700 classes', 1e-5, [1, 700], 699),
  loss('scale so large that all but the maximum vanish', 40, [1, 9], 2),
  loss('a loss that saturates', 1e9, [1, 9], 2),
];

/** The predicted shift decides how often the kernel computes. */
function gradient(
  name: string,
  scale: number,
  shape: readonly number[],
  label: number,
  shift: number,
  logits?: Int8Array,
): OpCase {
  return opCase(
    name,
    'quantized_softmax_cross_entropy_gradient',
    {},
    [
      { ...int8(shape, scale, 3), ...(logits && { data: logits }) },
      { ...LABEL, data: Int32Array.of(label) },
      state({ shape: [2], dtype: 'int32', data: Int32Array.of(0, shift) }),
    ],
    { shape, dtype: 'int8' },
  );
}

export const gradientCases: readonly OpCase[] = [
  gradient('ten classes', 0.08, [1, 10], 3, 17),
  gradient('an image of one pixel, a shift too small', 0.02, [1, 1, 1, 2], 1, 3),
  gradient('a shift too large', 0.02, [1, 1, 1, 7], 0, 27),
  gradient('a shift that means nothing', 0.02, [1, 7], 6, -5),
  gradient('the last of 24 bits', 0.1, [1, 3], 0, 0, Int8Array.of(127, -28, -20)),
  gradient('one class, nothing to learn', 0.5, [1, 1], 0, 18),
  gradient('a label below', 0.05, [1, 5], -1, 0),
  gradient('a label above', 0.05, [1, 5], 5, 18),
  gradient('700 classes of nearly the same value', 1e-5, [1, 700], 699, 18),
  gradient('scale so large that all but the maximum vanish', 40, [1, 9], 2, 18),
];
