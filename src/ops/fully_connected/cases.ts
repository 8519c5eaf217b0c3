import { bias, int8, type OpCase, opCase, weights } from '../case.ts';

const FULL = { clamp: [-128, 127] } as const;

export const cases: readonly OpCase[] = [
  opCase(
    'per-tensor weights',
    'fully_connected',
    FULL,
    [int8([1, 20], 0.05, -128), weights([6, 20], null, 1), bias(6, 2)],
    int8([1, 6], 0.05, 3),
  ),
  opCase(
    'per-channel weights, odd sizes, relu clamp',
    'fully_connected',
    { clamp: [-30, 127] },
    [int8([1, 13], 0.07, 127), weights([5, 13], 0, 3), bias(5, 4)],
    int8([1, 5], 0.03, -30),
  ),
  opCase(
    'one output, no bias',
    'fully_connected',
    FULL,
    [int8([1, 9], 0.05, -4), weights([1, 9], null, 5), null],
    int8([1, 1], 0.01, 11),
  ),
  opCase(
    'image as input',
    'fully_connected',
    FULL,
    [int8([1, 3, 2, 4], 0.05, 21), weights([7, 24], 0, 7), bias(7, 8)],
    int8([1, 7], 0.05, -21),
  ),
  opCase(
    'batch of 3 vectors',
    'fully_connected',
    FULL,
    [int8([3, 8], 0.05, 1), weights([4, 8], null, 9), bias(4, 10)],
    int8([3, 4], 0.04, 2),
  ),
  opCase(
    'leading dimensions kept',
    'fully_connected',
    FULL,
    [int8([2, 3, 2, 5], 0.05, -33), weights([3, 5], 0, 11), bias(3, 12)],
    int8([2, 3, 2, 3], 0.02, 33),
  ),
  opCase(
    'a vector without batch',
    'fully_connected',
    FULL,
    [int8([10], 0.05, 8), weights([3, 10], 0, 13), bias(3, 14)],
    int8([1, 3], 0.04, -8),
  ),
  opCase(
    'multiplier above one',
    'fully_connected',
    FULL,
    [int8([1, 2], 1.5, 2), weights([3, 2], null, 15, 1.2), bias(3, 16, 40)],
    int8([1, 3], 0.3, -2),
  ),
  opCase(
    'groups of outputs that overlap, inputs that fill no word',
    'fully_connected',
    { clamp: [-128, 90] },
    [int8([2, 39], 0.05, -128), weights([11, 39], 0, 17), bias(11, 18)],
    int8([2, 11], 0.05, 12),
  ),
  opCase(
    'many inputs',
    'fully_connected',
    FULL,
    [int8([1, 513], 0.05, 127), weights([6, 513], null, 19), bias(6, 20)],
    int8([1, 6], 0.4, -128),
  ),
  opCase(
    'a single input',
    'fully_connected',
    FULL,
    [int8([1, 1], 0.05, -7), weights([5, 1], 0, 21), bias(5, 22)],
    int8([1, 5], 0.02, 7),
  ),
  opCase(
    'largest weights: sums of products have 25 bits',
    'fully_connected',
    FULL,
    [int8([1, 1200], 0.05, -128), filled(weights([4, 1200], null, 23), 127), bias(4, 24)],
    int8([1, 4], 120, -128),
  ),
  opCase(
    'weights of -128',
    'fully_connected',
    FULL,
    [int8([1, 18], 0.05, 3), filled(weights([4, 18], null, 25), -128), bias(4, 26)],
    int8([1, 4], 0.5, -3),
  ),
  opCase(
    'large biases',
    'fully_connected',
    FULL,
    [int8([1, 22], 0.05, 30), weights([8, 22], null, 27), bias(8, 28, 1e9)],
    int8([1, 8], 2000, 0),
  ),
];

/** The same weights but for their values. */
function filled(operand: ReturnType<typeof weights>, value: number): ReturnType<typeof weights> {
  return { ...operand, data: new Int8Array(operand.data.length).fill(value) };
}
