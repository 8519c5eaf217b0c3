/**
 * The network of `npm run bench:train`: MobileNetV2 of width 0.35 (Sandler and others, 2018: inverted residuals, batch
 * normalisation and ReLU6 everywhere) with strides fitted to 32x32x3, so that the last maps have 2x2 pixels; 10 classes.
 */
import { type ConvolutionOptions, Network, SIX } from '../src/autodiff/network.ts';
import type { Graph, ValueId } from '../src/ir/types.ts';

/** Expansion, channels, blocks, stride of the first block. */
export const STAGES: readonly (readonly [
  expansion: number,
  channels: number,
  blocks: number,
  stride: number,
])[] = [
  [1, 8, 1, 1],
  [6, 8, 2, 2],
  [6, 16, 3, 2],
  [6, 24, 4, 2],
  [6, 32, 3, 1],
  [6, 56, 3, 1],
  [6, 112, 1, 1],
];
export const STEM = { channels: 16, stride: 2 } as const;
export const HEAD_CHANNELS = 1280;
export const CLASSES = 10;
export const IMAGE = [32, 32, 3] as const;

const ACTIVE: ConvolutionOptions = { norm: true, clamp: SIX };

/** Inputs `image` [batch, 32, 32, 3] and `labels`, output `loss`. */
export function mobileNet(batch: number, seed = 1): Graph {
  const net = new Network('mobilenet', { seed });
  const labels = net.labels('labels', batch);
  let x = net.conv('stem', net.input('image', [batch, ...IMAGE]), STEM.channels, 3, {
    ...ACTIVE,
    stride: STEM.stride,
  });
  STAGES.forEach(([expansion, channels, blocks, stride], stage) => {
    for (let block = 0; block < blocks; ++block) {
      x = invertedResidual(
        net,
        `stage${stage}/block${block}`,
        x,
        expansion,
        channels,
        block === 0 ? stride : 1,
      );
    }
  });
  x = net.conv('head', x, HEAD_CHANNELS, 1, ACTIVE);
  const logits = net.dense('classifier', net.globalMean('mean', x), CLASSES);
  return net.build([net.crossEntropy(logits, labels)]);
}

function invertedResidual(
  net: Network,
  name: string,
  x: ValueId,
  expansion: number,
  channels: number,
  stride: number,
): ValueId {
  const inChannels = net.shape(x)[3]!;
  const wide = expansion === 1 ? x : net.conv(`${name}/expand`, x, inChannels * expansion, 1, ACTIVE);
  const deep = net.depthwise(`${name}/depthwise`, wide, 3, { ...ACTIVE, stride });
  const narrow = net.conv(`${name}/project`, deep, channels, 1, { norm: true });
  return stride === 1 && inChannels === channels ? net.add(`${name}/add`, x, narrow) : narrow;
}
