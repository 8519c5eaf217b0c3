import type { Clamp } from '../../ir/attributes.ts';
import { int8, type OpCase, opCase } from '../case.ts';
import { maskShape } from './op.ts';

function mask(name: string, shape: readonly number[], clamp: Clamp): OpCase {
  return opCase(name, 'clamp_mask', { clamp }, [int8(shape)], { shape: maskShape(shape), dtype: 'uint8' });
}

export const cases: readonly OpCase[] = [
  mask('whole bytes', [1, 4, 4, 8], [-128, 127]),
  mask('rows of 15 bits', [1, 5, 5, 3], [-100, 60]),
  mask('fewer elements than bits', [1, 3, 1, 5], [-128, 0]),
  mask('batch 2, ten bits', [2, 3, 2, 5], [-3, 127]),
  mask('one value passes', [1, 2, 32, 4], [-12, -10]),
  mask('nothing passes between neighbours', [1, 2, 9, 4], [4, 5]),
  mask('nothing passes where the output is constant', [1, 1, 16, 3], [127, 127]),
];
