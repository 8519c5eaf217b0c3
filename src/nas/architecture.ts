/** From genes to shapes and costs. Layers, MACs and parameters of an `Architecture` are those of src/zoo/layers.ts. */
import { type Architecture, type Block, makeDivisible } from '../zoo/networks.ts';
import { type Genome, positionsOf } from './genome.ts';
import type { Space } from './space.ts';

export { costOf, type Layer, layersOf } from '../zoo/layers.ts';
export type { Architecture, Block } from '../zoo/networks.ts';

/**
 * The network that a genome shows. Names of blocks, and with them of layers, say where in the space a block stands:
 * `stage2/block1/expand` is a part of the same layer in every network, whatever the depths before it.
 */
export function architectureOf(space: Space, genome: Genome): Architecture {
  const widthOf = (block: number): number => genome.widths[space.widthPer === 'block' ? block + 1 : 0]!;
  const first: Block = {
    name: FIRST_BLOCK,
    kernel: 3,
    expansion: 1,
    channels: makeDivisible(space.firstBlock * genome.widths[0]!),
    stride: 1,
  };
  return {
    resolution: genome.resolution,
    imageChannels: space.imageChannels,
    stem: makeDivisible(space.stem.channels * genome.widths[0]!),
    stemStride: space.stem.stride,
    blocks: [
      first,
      ...positionsOf(space, genome).map(({ stage, place, index }): Block => {
        const { channels, stride } = space.stages[stage]!;
        return {
          name: blockName(stage, place),
          kernel: genome.kernels[index]!,
          expansion: genome.expansions[index]!,
          channels: makeDivisible(channels * widthOf(index)),
          stride: place === 0 ? stride : 1,
        };
      }),
    ],
    head: space.head,
    classes: space.classes,
    padding: 'symmetric',
  };
}

/** The block that has no genes. */
export const FIRST_BLOCK = 'first';

/** The `place`-th block of a stage, both from 0; layers append `/expand`, `/depthwise`, `/project`, `/add`. */
export function blockName(stage: number, place: number): string {
  return `stage${stage + 1}/block${place}`;
}
