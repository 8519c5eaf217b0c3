import { float32, int8, type OpCase, opCase, uint8 } from '../case.ts';

export const cases: readonly OpCase[] = [
  opCase('int8', 'dequantize', {}, [int8([1, 4, 8, 8], 0.05, -3)], float32([1, 4, 8, 8])),
  opCase(
    'int8, extreme zero point, batch 2',
    'dequantize',
    {},
    [int8([2, 3, 5], 0.7, 127)],
    float32([2, 3, 5]),
  ),
  opCase('uint8', 'dequantize', {}, [uint8([16, 16], 0.0039, 255)], float32([16, 16])),
  opCase('vector, huge scale', 'dequantize', {}, [int8([33], 3e37, -128)], float32([33])),
  opCase('vector, denormal results', 'dequantize', {}, [int8([33], 1e-42, 0)], float32([33])),
];
