/** The published networks as data: chains of inverted residual blocks between a first convolution and a classifier. */

/** 1x1 expansion, depthwise, 1x1 projection; a residual where the stride is 1 and the channels stay the same. */
export interface Block {
  /** Height and width of the depthwise filter. */
  readonly kernel: number;
  /** Channels of the expansion over channels of the block's input; 1: no expansion convolution. */
  readonly expansion: number;
  readonly channels: number;
  readonly stride: number;
  /** What its layers are called; `block` and its number unless given. */
  readonly name?: string;
}

/** A chain of blocks between a first convolution and a classifier. */
export interface Architecture {
  /** Height and width of the image. */
  readonly resolution: number;
  readonly imageChannels: number;
  /** Channels of the first convolution, which is 3x3. */
  readonly stem: number;
  readonly stemStride: number;
  readonly blocks: readonly Block[];
  /** Channels of the 1x1 convolution before the mean; null: the mean follows the last block. */
  readonly head: number | null;
  readonly classes: number;
  /** same: as TensorFlow, the odd row behind; symmetric: as PyTorch, kernel / 2 rounded down on either side. */
  readonly padding: 'same' | 'symmetric';
}

export interface ZooNetwork extends Architecture {
  readonly name: string;
  readonly description: string;
  /**
   * In millions, with the digits that are published and as the authors count: MACs of convolutions and classifier;
   * parameters before batch normalisation is folded, so two for each channel of a convolution beside its weights.
   * MCUNet and MobileNetV2 w0.35 from the MCUNet repository, MobileNetV2 w1.0 from torchvision.
   */
  readonly published: { readonly macs: string; readonly parameters: string };
}

/** MobileNetV2 at width 1: expansion, channels, blocks, stride of the first (arXiv 1801.04381, table 2). */
const MOBILENET_V2_STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** All published networks look at colour pictures, and halve them at once. */
const IMAGE = { imageChannels: 3, stemStride: 2 } as const;

export const ZOO: readonly ZooNetwork[] = [
  {
    ...mobileNetV2('mbv2-w0.35-r144', 0.35, 144),
    description: 'MobileNetV2 w0.35, head of 448 channels',
    published: { macs: '23.50', parameters: '0.750' },
  },
  {
    ...mobileNetV2('mbv2-w1.0-r224', 1, 224),
    description: 'MobileNetV2 w1.0, head of 1280 channels',
    published: { macs: '301', parameters: '3.504872' },
  },
  mcunet(
    'in0',
    [48, 24, 1000],
    '3e1>16 | 5e4>16/2 3e3>16 3e4>16 | 7e5>24/2 5e4>24 5e5>24 | 7e5>48/2 5e4>48 | 3e5>56 5e4>56 3e5>56 | 3e6>112/2 5e4>112 | 3e6>192',
    { macs: '6.36', parameters: '0.750' },
  ),
  mcunet(
    'in1',
    [96, 16, 1000],
    '3e1>8 | 3e4>16/2 3e3>16 | 7e3>24/2 3e5>24 | 3e5>40/2 7e4>40 | 5e4>48 3e3>48 3e4>48 | 7e5>96/2 5e4>96 5e4>96 | 3e6>160',
    { macs: '12.79', parameters: '0.636' },
  ),
  mcunet(
    'in2',
    [160, 16, 1000],
    '3e1>8 | 5e3>16/2 7e6>16 3e5>16 5e5>16 | 3e5>24/2 7e6>24 5e6>24 | 7e4>40/2 5e5>40 | 3e5>48 5e5>48 3e4>48 | 5e6>96/2 5e4>96 5e3>96 3e4>96 | 5e5>160',
    { macs: '67.29', parameters: '0.729' },
  ),
  mcunet(
    'in3',
    [176, 16, 1000],
    '3e1>8 | 7e3>16/2 3e5>16 7e5>16 5e4>16 | 5e5>24/2 5e5>24 5e5>24 | 3e5>40/2 7e6>40 5e4>40 | 5e5>48 7e5>48 3e5>48 | 3e6>96/2 7e5>96 3e4>96 | 7e5>160',
    { macs: '81.79', parameters: '0.737' },
  ),
  mcunet(
    'in4',
    [160, 32, 1000],
    '3e1>16 | 7e3>24/2 3e5>24 5e4>24 | 7e5>40/2 3e4>40 7e4>40 | 7e3>80/2 3e3>80 7e3>80 | 3e4>96 5e3>96 5e3>96 | 7e4>192/2 7e3>192 5e3>192 | 5e4>320',
    { macs: '125.87', parameters: '1.733' },
  ),
  mcunet(
    'vww0',
    [64, 16, 2],
    '3e1>8 | 5e6>16/2 3e4>16 | 3e5>24/2 3e4>24 3e4>24 | 3e5>40/2 3e4>40 7e3>40 | 3e3>48 3e4>48 | 7e5>96/2 5e5>96 | 7e4>160',
    { macs: '5.96', parameters: '0.369' },
  ),
  mcunet(
    'vww1',
    [80, 16, 2],
    '3e1>8 | 3e6>16/2 3e3>16 3e3>16 | 7e3>24/2 3e6>24 5e5>24 | 7e6>40/2 7e6>40 | 3e6>48 3e4>48 | 5e5>96/2 3e5>96 3e4>96 | 7e3>160',
    { macs: '11.58', parameters: '0.433' },
  ),
  mcunet(
    'vww2',
    [144, 16, 2],
    '3e1>8 | 3e3>16/2 3e5>16 5e6>16 3e3>16 | 7e5>24/2 5e4>24 3e4>24 7e6>24 | 3e6>40/2 7e6>40 5e4>40 3e5>40 | 5e5>48 5e3>48 3e4>48 5e3>48 | 3e4>96/2 5e5>96 5e4>96 3e4>96 | 3e5>160',
    { macs: '55.77', parameters: '0.639' },
  ),
];

/** A released MCUNet network: resolution, first convolution and classes, then the blocks as `parseBlocks` reads them. */
function mcunet(
  name: string,
  [resolution, stem, classes]: readonly [number, number, number],
  blocks: string,
  published: ZooNetwork['published'],
): ZooNetwork {
  return {
    name: `mcunet-${name}`,
    description: classes === 2 ? 'MCUNet, visual wake words' : 'MCUNet, ImageNet',
    ...IMAGE,
    resolution,
    stem,
    blocks: parseBlocks(blocks),
    head: null,
    classes,
    padding: 'symmetric',
    published,
  };
}

/** `5e4>16/2`: kernel 5, expansion 4, 16 channels, stride 2 (1 unless given). Bars only show the stages to a reader. */
function parseBlocks(text: string): Block[] {
  return [...text.matchAll(/(\d)e(\d)>(\d+)(?:\/(\d))?/g)].map(([, kernel, expansion, channels, stride]) => ({
    kernel: Number(kernel),
    expansion: Number(expansion),
    channels: Number(channels),
    stride: Number(stride ?? 1),
  }));
}

/**
 * MobileNetV2 with every width multiplied, the head's too: this is the variant of the MCUNet papers (23.50 M MACs at 0.35).
 * TensorFlow's own never makes the head narrower than 1280 channels (26.66 M).
 */
function mobileNetV2(
  name: string,
  width: number,
  resolution: number,
): Omit<ZooNetwork, 'description' | 'published'> {
  return {
    ...IMAGE,
    name,
    resolution,
    stem: makeDivisible(32 * width),
    blocks: MOBILENET_V2_STAGES.flatMap(([expansion, channels, count, stride]) =>
      Array.from({ length: count }, (_, i) => ({
        kernel: 3,
        expansion,
        channels: makeDivisible(channels * width),
        stride: i === 0 ? stride : 1,
      })),
    ),
    head: makeDivisible(1280 * width),
    classes: 1000,
    padding: 'same',
  };
}

/** The nearest multiple of 8, the next one if that loses more than a tenth: how both papers round channels. */
export function makeDivisible(channels: number): number {
  const nearest = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return nearest < 0.9 * channels ? nearest + 8 : nearest;
}
