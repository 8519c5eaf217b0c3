/**
 * Search spaces as data: chains of inverted bottlenecks whose depthwise kernels, expansions, depths, widths and resolution
 * are open. The backbone of MCUNet (arXiv 2007.10319) is that of ProxylessNAS without its last 1x1 convolution.
 */

import { fail } from '../core/diagnostics.ts';

/** Blocks of equal channels; the stride is that of the first. */
export interface Stage {
  /** Channels at width 1. */
  readonly channels: number;
  readonly stride: number;
  /** How many blocks it may have, ascending. */
  readonly depths: readonly number[];
}

export interface Space {
  readonly name: string;
  readonly description: string;
  readonly imageChannels: number;
  readonly classes: number;
  /** Heights, and widths, of the image, ascending. */
  readonly resolutions: readonly number[];
  /** Multipliers of all channels, ascending. */
  readonly widths: readonly number[];
  /** network: one multiplier for all; block: the first convolution with the first block has one, and every other block. */
  readonly widthPer: 'network' | 'block';
  /** Heights, and widths, of depthwise filters, ascending. */
  readonly kernels: readonly number[];
  /** Ratios of a block's widest channels to those of its input, ascending. */
  readonly expansions: readonly number[];
  /** The first convolution, 3x3. */
  readonly stem: { readonly channels: number; readonly stride: number };
  /** Channels of the first block: depthwise 3x3 without expansion, stride 1. */
  readonly firstBlock: number;
  readonly stages: readonly Stage[];
  /** Channels of a 1x1 convolution before the mean, not multiplied; null: none. */
  readonly head: number | null;
}

function stage(channels: number, stride: number, depths: readonly number[] = [2, 3, 4]): Stage {
  return { channels, stride, depths };
}

/** First and last resolution or multiplier, and the step; rounded, so that 0.2 + 0.1 is 0.3. */
function range(first: number, last: number, step: number): number[] {
  const count = Math.round((last - first) / step) + 1;
  return Array.from({ length: count }, (_, i) => Math.round((first + i * step) * 1000) / 1000);
}

/** Stage 1 of TinyNAS: 12 resolutions and 9 widths. */
export const MCUNET: Space = {
  name: 'mcunet',
  description: 'MCUNet, images of 48 to 224 pixels, 1000 classes',
  imageChannels: 3,
  classes: 1000,
  resolutions: range(48, 224, 16),
  widths: range(0.2, 1, 0.1),
  widthPer: 'network',
  kernels: [3, 5, 7],
  expansions: [3, 4, 6],
  stem: { channels: 32, stride: 2 },
  firstBlock: 16,
  stages: [stage(24, 2), stage(40, 2), stage(80, 2), stage(96, 1), stage(192, 2), stage(320, 1, [1])],
  head: null,
};

/** The same for what the authors released: expansions of 5, all widths and resolutions that occur. */
const MCUNET_RELEASED: Space = {
  ...MCUNET,
  name: 'mcunet-released',
  description: 'MCUNet as released, expansions of 5 too',
  widths: [...MCUNET.widths, 1.5],
  expansions: [3, 4, 5, 6],
};

/** The joint space of MCUNetV2 (arXiv 2110.15352): every block has a width of its own. */
const MCUNET_V2: Space = {
  ...MCUNET,
  name: 'mcunet-v2',
  description: 'MCUNetV2, a width for every block',
  resolutions: range(96, 256, 32),
  widths: [0.5, 0.75, 1],
  widthPer: 'block',
};

/** Small pictures keep their rows longer: neither the first convolution nor the first stage halves them. */
const CIFAR: Space = {
  ...MCUNET,
  name: 'cifar',
  description: 'pictures of 32 x 32 pixels, 3 channels, 10 classes',
  classes: 10,
  resolutions: [24, 28, 32],
  widths: range(0.3, 1, 0.1),
  expansions: [3, 4, 5, 6],
  stem: { channels: 32, stride: 1 },
  stages: [stage(24, 1), stage(40, 2), stage(80, 2), stage(96, 1), stage(192, 2), stage(320, 1, [1])],
};

const FASHION: Space = {
  ...CIFAR,
  name: 'fashion',
  description: 'pictures of 28 x 28 pixels, 1 channel, 10 classes',
  imageChannels: 1,
  resolutions: [20, 24, 28],
  widths: range(0.2, 0.7, 0.1),
  stem: { channels: 16, stride: 1 },
  firstBlock: 8,
  stages: [stage(16, 2), stage(32, 2), stage(64, 2), stage(96, 1, [1, 2])],
};

export const SPACES: readonly Space[] = [MCUNET, MCUNET_RELEASED, MCUNET_V2, CIFAR, FASHION];

/** The part of a space with one resolution and one width. */
export function subspace(space: Space, resolution: number, width: number): Space {
  return { ...space, resolutions: [resolution], widths: [width] };
}

/** Blocks that a space chooses, those beyond the chosen depth of a stage included. */
export function blockCount({ stages }: Space): number {
  return stages.reduce((sum, { depths }) => sum + depths.at(-1)!, 0);
}

/** How many networks a space has; genes that a network does not show are not counted. */
export function networkCount(space: Space): number {
  const { stages, kernels, expansions, widths, resolutions, widthPer } = space;
  const perBlock = kernels.length * expansions.length * (widthPer === 'block' ? widths.length : 1);
  return stages.reduce(
    (product, { depths }) => product * depths.reduce((sum, depth) => sum + perBlock ** depth, 0),
    resolutions.length * widths.length,
  );
}

/** @throws RivuletError RV3001 if there is no space of that name */
export function findSpace(name: string): Space {
  return (
    SPACES.find((space) => space.name === name) ??
    fail('RV3001', `there is no search space "${name}"`, {
      origin: '--space',
      hint: `one of ${SPACES.map((space) => space.name).join(', ')}`,
    })
  );
}
