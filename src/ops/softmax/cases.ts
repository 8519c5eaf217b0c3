import { int8, type OpCase, opCase } from '../case.ts';

const probabilities = (shape: readonly number[]) => int8(shape, 1 / 256, -128);

export const cases: readonly OpCase[] = [
  opCase('ten classes', 'softmax', { beta: 1 }, [int8([1, 10], 0.08, 14)], probabilities([1, 10])),
  opCase('two classes', 'softmax', { beta: 1 }, [int8([1, 2], 0.02, -5)], probabilities([1, 2])),
  opCase('one class', 'softmax', { beta: 1 }, [int8([3, 1], 0.5, 0)], probabilities([3, 1])),
  opCase('a vector', 'softmax', { beta: 1 }, [int8([7], 0.05, 0)], probabilities([7])),
  opCase(
    'image, batch 2',
    'softmax',
    { beta: 1 },
    [int8([2, 3, 4, 5], 0.04, 3)],
    probabilities([2, 3, 4, 5]),
  ),
  opCase('beta 2.5', 'softmax', { beta: 2.5 }, [int8([4, 6], 0.03, -128)], probabilities([4, 6])),
  opCase(
    'scale so large that all but the maximum vanish',
    'softmax',
    { beta: 1 },
    [int8([5, 9], 40, 0)],
    probabilities([5, 9]),
  ),
  opCase('largest scale there is', 'softmax', { beta: 1 }, [int8([2, 4], 1e9, 0)], probabilities([2, 4])),
  opCase(
    'part of the values deeper than exp(-31)',
    'softmax',
    { beta: 1 },
    [int8([4, 16], 0.2, 0)],
    probabilities([4, 16]),
  ),
  opCase(
    'tiny scale, 700 classes: probabilities round to 0',
    'softmax',
    { beta: 1 },
    [int8([1, 700], 1e-5, 0)],
    probabilities([1, 700]),
  ),
  opCase(
    '511 classes of nearly the same value',
    'softmax',
    { beta: 1 },
    [int8([1, 511], 1e-4, 9)],
    probabilities([1, 511]),
  ),
];
