/** Descriptions of networks as JSON. */
import { type JsonObject, parseJsonObject } from '../formats/json.ts';
import type { Block, NetworkDescription } from './blocks.ts';

const DIALECT = { code: 'RV5004', maxBytes: 1 << 20 } as const;
/** Sides, strides and channels beyond these are mistakes. */
const MAX_SIDE = 1024;
const MAX_CHANNELS = 4096;

/**
 * Reads a description: `{ "name", "input": [height, width, channels], "classes", "blocks": [...] }`; the fields of a block are
 * those of `Block`, of an inverted one `middle` may be left out where `expand` says how many times the channels of x it is.
 * @param origin the file, for diagnostics
 * @throws RivuletError RV5004
 */
export function parseDescription(bytes: Uint8Array, origin: string): NetworkDescription {
  const json = parseJsonObject(bytes, DIALECT, origin);
  const [height, width, channels] = json.integers('input', 1, MAX_CHANNELS, 3) as [number, number, number];
  const blocks: Block[] = [];
  let depth = channels;
  for (const object of json.objects('blocks')) {
    blocks.push(parseBlock(object, depth));
    depth = blocks.at(-1)!.channels;
  }
  if (blocks.length === 0) json.refuse('blocks', 'a network has at least one block');
  return {
    name: json.text('name'),
    input: [height, width, channels],
    classes: json.integer('classes', 2, MAX_CHANNELS),
    blocks,
  };
}

function parseBlock(json: JsonObject, depth: number): Block {
  const kind = json.text('kind');
  const channels = json.integer('channels', 1, MAX_CHANNELS);
  const stride = json.has('stride') ? json.integer('stride', 1, MAX_SIDE) : 1;
  const kernel = (): number => {
    const side = json.has('kernel') ? json.integer('kernel', 1, MAX_SIDE) : 3;
    return side % 2 === 1 ? side : json.refuse('kernel', `a window of ${side} has no middle`);
  };
  switch (kind) {
    case 'conv':
      return { kind, kernel: kernel(), channels, stride };
    case 'inverted': {
      const middle = json.has('middle')
        ? json.integer('middle', 1, MAX_CHANNELS)
        : Math.round(depth * json.number('expand'));
      if (!(middle >= 1 && middle <= MAX_CHANNELS)) json.refuse('expand', `that makes ${middle} channels`);
      return { kind, kernel: kernel(), middle, channels, stride };
    }
    case 'residual':
      return { kind, channels, stride };
    default:
      return json.refuse('kind', `"${kind}" is no kind of block; there are conv, inverted, residual`);
  }
}
