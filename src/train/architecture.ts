import type { Architecture } from '../nas/architecture.ts';
import type { Block, NetworkDescription } from './blocks.ts';

/** A network of a search space, to be trained: names of blocks are those of the space, `stem` and `head` around them. */
export function descriptionOf(architecture: Architecture, name: string): NetworkDescription {
  const { resolution, imageChannels, stem, stemStride, head, classes } = architecture;
  const blocks: Block[] = [{ name: 'stem', kind: 'conv', kernel: 3, channels: stem, stride: stemStride }];
  for (const block of architecture.blocks) {
    const { kernel, channels, stride, expansion } = block;
    const middle = Math.round(blocks.at(-1)!.channels * expansion);
    const named = block.name === undefined ? {} : { name: block.name };
    blocks.push({ ...named, kind: 'inverted', kernel, middle, channels, stride });
  }
  if (head !== null) blocks.push({ name: 'head', kind: 'conv', kernel: 1, channels: head, stride: 1 });
  return { name, input: [resolution, resolution, imageChannels], classes, blocks };
}
