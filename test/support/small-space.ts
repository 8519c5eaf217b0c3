import type { Space } from '../../src/nas/space.ts';

/** Some thousand networks for pictures of 8 x 8 pixels and two classes, such as `bars`. */
export const SMALL_SPACE: Space = {
  name: 'small',
  description: 'for tests',
  imageChannels: 1,
  classes: 2,
  resolutions: [8],
  widths: [1],
  widthPer: 'network',
  kernels: [3, 5],
  expansions: [3, 4],
  stem: { channels: 8, stride: 1 },
  firstBlock: 8,
  stages: [
    { channels: 8, stride: 2, depths: [1, 2] },
    { channels: 16, stride: 2, depths: [1, 2] },
  ],
  head: null,
};
