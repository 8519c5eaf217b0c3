import { int8, type OpCase, opCase } from '../case.ts';

export const cases: readonly OpCase[] = [
  opCase(
    'height and width, dimensions dropped',
    'mean',
    { axes: [1, 2] },
    [int8([1, 5, 4, 6], 0.05, -128)],
    int8([1, 6], 0.03, -100),
  ),
  opCase(
    'height and width, dimensions kept, batch 2',
    'mean',
    { axes: [1, 2] },
    [int8([2, 3, 7, 5], 0.05, 17)],
    int8([2, 1, 1, 5], 0.05, 17),
  ),
  opCase('height', 'mean', { axes: [1] }, [int8([1, 6, 3, 4], 0.05, 127)], int8([1, 3, 4], 0.07, 0)),
  opCase('width', 'mean', { axes: [2] }, [int8([2, 3, 5, 4], 0.05, -3)], int8([2, 3, 4], 0.04, 3)),
  opCase('channels', 'mean', { axes: [3] }, [int8([1, 3, 4, 7], 0.05, 9)], int8([1, 3, 4, 1], 0.02, -9)),
  opCase(
    'width and channels',
    'mean',
    { axes: [2, 3] },
    [int8([1, 4, 3, 5], 0.05, 1)],
    int8([1, 4], 0.01, 2),
  ),
  opCase(
    'everything but the batch',
    'mean',
    { axes: [1, 2, 3] },
    [int8([2, 3, 3, 3], 0.05, 40)],
    int8([2], 0.01, 0),
  ),
  opCase(
    'batch alone: rows interleave',
    'mean',
    { axes: [0] },
    [int8([3, 4, 2, 3], 0.05, 5)],
    int8([4, 2, 3], 0.05, 6),
  ),
  opCase('everything', 'mean', { axes: [0, 1] }, [int8([4, 8], 0.05, -60)], int8([], 0.05, -60)),
  opCase('a vector', 'mean', { axes: [0] }, [int8([9], 0.05, 12)], int8([1], 0.001, 12)),
  opCase(
    'five dimensions',
    'mean',
    { axes: [1, 2] },
    [int8([2, 3, 2, 3, 4], 0.05, 2)],
    int8([2, 3, 4], 0.06, -2),
  ),
  opCase(
    'multiplier above one, more than 2^8 elements',
    'mean',
    { axes: [1, 2] },
    [int8([1, 17, 16, 2], 2.5, -7)],
    int8([1, 2], 0.1, 7),
  ),
  opCase('a single element', 'mean', { axes: [1] }, [int8([1, 1, 4], 0.05, 3)], int8([1, 1, 4], 0.05, 3)),
];
