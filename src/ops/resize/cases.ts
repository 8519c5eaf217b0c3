import type { ResizeAttributes } from '../../ir/attributes.ts';
import type { Shape } from '../../ir/types.ts';
import { int8, type OpCase, opCase, uint8 } from '../case.ts';

const PLAIN: ResizeAttributes = { alignCorners: false, halfPixelCenters: false };
const MODES: readonly (readonly [name: string, attrs: ResizeAttributes])[] = [
  ['plain', PLAIN],
  ['aligned corners', { alignCorners: true, halfPixelCenters: false }],
  ['half-pixel centres', { alignCorners: false, halfPixelCenters: true }],
];
const SIZES: readonly (readonly [name: string, x: Shape, y: Shape])[] = [
  ['doubled', [1, 3, 4, 5], [1, 6, 8, 5]],
  ['odd enlargement, batch 2', [2, 3, 5, 2], [2, 7, 9, 2]],
  ['reduced', [1, 9, 7, 3], [1, 4, 3, 3]],
  ['taller and narrower', [1, 2, 9, 1], [1, 5, 4, 1]],
  ['from one pixel', [1, 1, 1, 3], [1, 4, 3, 3]],
  ['to one pixel', [1, 5, 4, 3], [1, 1, 1, 3]],
];

function resized(op: 'resize_nearest' | 'resize_bilinear'): OpCase[] {
  return MODES.flatMap(([mode, attrs]) =>
    SIZES.map(([name, x, y]) => opCase(`${name}, ${mode}`, op, attrs, [int8(x)], int8(y))),
  );
}

export const cases: Readonly<Record<'resize_nearest' | 'resize_bilinear', readonly OpCase[]>> = {
  resize_nearest: [
    ...resized('resize_nearest'),
    opCase(
      'both options',
      'resize_nearest',
      { alignCorners: true, halfPixelCenters: true },
      [int8([1, 3, 4, 2])],
      int8([1, 5, 7, 2]),
    ),
    opCase('uint8', 'resize_nearest', PLAIN, [uint8([1, 3, 4, 2])], uint8([1, 5, 7, 2])),
  ],
  resize_bilinear: resized('resize_bilinear'),
};
