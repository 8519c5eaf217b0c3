import { float32, int8, type OpCase, opCase, uint8 } from '../case.ts';

export const cases: readonly OpCase[] = [
  opCase('float32 to int8', 'quantize', {}, [float32([1, 3, 5, 7])], int8([1, 3, 5, 7], 0.05, -3)),
  opCase('float32 to uint8, batch 2', 'quantize', {}, [float32([2, 3, 2, 3])], uint8([2, 3, 2, 3], 0.5, 200)),
  opCase('float32, coarse scale', 'quantize', {}, [float32([40])], int8([40], 1e30, 127)),
  opCase('float32, fine scale', 'quantize', {}, [float32([40])], int8([40], 1e-30, -128)),
  opCase(
    'int8 to int8, finer',
    'quantize',
    {},
    [int8([1, 4, 8, 8], 0.05, 7)],
    int8([1, 4, 8, 8], 0.031, -90),
  ),
  opCase(
    'int8 to int8, coarser',
    'quantize',
    {},
    [int8([2, 2, 8, 8], 0.05, 127)],
    int8([2, 2, 8, 8], 0.7, 127),
  ),
  opCase('int8 to uint8', 'quantize', {}, [int8([16, 16], 0.05, 0)], uint8([16, 16], 0.05, 128)),
  opCase('uint8 to int8', 'quantize', {}, [uint8([16, 16], 0.05, 3)], int8([16, 16], 0.06, -125)),
  opCase('uint8 to uint8', 'quantize', {}, [uint8([256], 0.05, 255)], uint8([256], 0.04, 0)),
];
