/** The shared kernel of operators that only move bytes. */
import type { OpName } from '../../ir/attributes.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';

/** Pixels and bytes per pixel to copy, and how far apart they lie; see kernels/copy_s8.c. */
export interface CopyGeometry {
  readonly width: number;
  readonly channels: number;
  readonly in_start: number;
  readonly in_pixel_stride: number;
  readonly in_channel_stride: number;
  readonly out_pixel_stride: number;
}

export function copyKernel<K extends OpName>(
  why: string,
  bind: (view: NodeView<K>) => readonly CallSpec[],
): Kernel<K> {
  return { name: 'copy_s8', isa: 'portable', why, refuses: () => undefined, bind };
}

/** The same copy in as few pieces as possible: pixels that follow each other on both sides become one. */
export function copyGeometry(copy: CopyGeometry): Readonly<Record<string, number>> {
  const { width, channels, in_channel_stride, in_pixel_stride, out_pixel_stride } = copy;
  const joined = in_pixel_stride === channels * in_channel_stride && out_pixel_stride === channels;
  if (width > 1 && !joined) return { ...copy };
  const size = width * channels;
  return { ...copy, width: 1, channels: size, in_pixel_stride: 0, out_pixel_stride: 0 };
}
