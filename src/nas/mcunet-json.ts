/**
 * The configurations of the mcunet repository: a ProxylessNASNets as JSON, block by block, without weights. Written with
 * all fields that its own reader wants; what a chain of inverted bottlenecks cannot say is refused when read.
 */
import { fail } from '../core/diagnostics.ts';
import { type JsonDialect, type JsonObject, parseJsonObject } from '../formats/json.ts';
import type { Architecture, Block } from '../zoo/networks.ts';

const DIALECT: JsonDialect = { code: 'RV6001', maxBytes: 1 << 20 };

/** Bounds of what is read; a larger network would not fit anything. */
const MOST_CHANNELS = 1 << 16;
const MOST_PIXELS = 1 << 12;

/** How the published networks normalise. */
const BATCH_NORM = { momentum: 0.1, eps: 1e-5 };

/** @throws RivuletError RV1003, RV6001 */
export function readMcunetJson(bytes: Uint8Array, file: string): Architecture {
  const json = parseJsonObject(bytes, DIALECT, file);
  if (json.text('name') !== 'ProxylessNASNets') json.refuse('name', 'only ProxylessNASNets are read');
  const stem = json.object('first_conv');
  requireValue(stem, 'kernel_size', 3);
  requireActivation(stem);
  const head = json.objectOrNull('feature_mix_layer');
  let channels = stem.integer('out_channels', 1, MOST_CHANNELS);
  const blocks: Block[] = [];
  for (const block of json.objects('blocks')) {
    const read = readBlock(block, channels);
    if (read === null) continue;
    blocks.push(read);
    channels = read.channels;
  }
  if (head !== null) requireValue(head, 'kernel_size', 1);
  return {
    resolution: json.integer('resolution', 1, MOST_PIXELS),
    imageChannels: stem.integer('in_channels', 1, MOST_CHANNELS),
    stem: stem.integer('out_channels', 1, MOST_CHANNELS),
    stemStride: stem.integer('stride', 1, 2),
    blocks,
    head: head === null ? null : head.integer('out_channels', 1, MOST_CHANNELS),
    classes: json.object('classifier').integer('out_features', 1, MOST_CHANNELS),
    padding: 'symmetric',
  };
}

/** A block of the file; null where it is the identity. */
function readBlock(block: JsonObject, channelsIn: number): Block | null {
  const conv = block.object('mobile_inverted_conv');
  const kind = conv.text('name');
  if (kind === 'ZeroLayer') return null;
  if (kind !== 'MBInvertedConvLayer') conv.refuse('name', 'neither an MBInvertedConvLayer nor a ZeroLayer');
  requireActivation(conv);
  requireValue(conv, 'in_channels', channelsIn);
  const channels = conv.integer('out_channels', 1, MOST_CHANNELS);
  const stride = conv.integer('stride', 1, 2);
  const expansion = readExpansion(conv, channelsIn);
  const hasShortcut = block.objectOrNull('shortcut') !== null;
  if (hasShortcut !== (stride === 1 && channels === channelsIn && expansion !== 1)) {
    const rule =
      'a block has a shortcut where its stride is 1, its channels stay the same, and it expands them';
    block.refuse('shortcut', rule);
  }
  return { kernel: conv.integer('kernel_size', 1, 15), expansion, channels, stride };
}

/** `mid_channels` says how many there are, or is null or missing, as in older files. */
function readExpansion(conv: JsonObject, channelsIn: number): number {
  if (conv.has('mid_channels') && !conv.isNull('mid_channels')) {
    return conv.integer('mid_channels', 1, MOST_CHANNELS) / channelsIn;
  }
  const expansion = conv.number('expand_ratio');
  return expansion > 0 && expansion <= 64 ? expansion : conv.refuse('expand_ratio', 'not from 0 to 64');
}

function requireValue(json: JsonObject, key: string, expected: number): void {
  const value = json.number(key);
  if (value !== expected) json.refuse(key, `${value} where ${expected} belongs`);
}

function requireActivation(json: JsonObject): void {
  const name = json.text('act_func');
  if (name !== 'relu6') json.refuse('act_func', `only relu6 is known, not ${name.slice(0, 20)}`);
}

/** The text of a configuration. @throws RivuletError RV6001 if the padding is not PyTorch's */
export function writeMcunetJson(architecture: Architecture): string {
  const { resolution, imageChannels, stem, stemStride, head, classes, padding } = architecture;
  if (padding !== 'symmetric') fail('RV6001', 'the format pads both sides alike, this network does not');
  let channels = stem;
  const blocks = architecture.blocks.map(({ kernel, expansion, channels: channelsOut, stride }) => {
    const channelsIn = channels;
    channels = channelsOut;
    return {
      name: 'MobileInvertedResidualBlock',
      mobile_inverted_conv: {
        name: 'MBInvertedConvLayer',
        in_channels: channelsIn,
        out_channels: channelsOut,
        kernel_size: kernel,
        stride,
        expand_ratio: expansion,
        mid_channels: Number.isInteger(expansion) ? null : Math.round(channelsIn * expansion),
        act_func: 'relu6',
        use_se: false,
      },
      shortcut:
        stride === 1 && channelsIn === channelsOut && expansion !== 1
          ? { name: 'IdentityLayer', in_channels: [channelsIn], out_channels: [channelsOut], ...PLAIN }
          : null,
    };
  });
  const configuration = {
    name: 'ProxylessNASNets',
    bn: BATCH_NORM,
    first_conv: convolution(imageChannels, stem, 3, stemStride),
    blocks,
    feature_mix_layer: head === null ? null : convolution(channels, head, 1, 1),
    classifier: {
      name: 'LinearLayer',
      in_features: head ?? channels,
      out_features: classes,
      bias: true,
      ...PLAIN,
    },
    resolution,
  };
  return `${JSON.stringify(configuration, null, 2)}\n`;
}

/** Without normalisation and activation. */
const PLAIN = { use_bn: false, act_func: null, dropout_rate: 0, ops_order: 'weight_bn_act' } as const;

function convolution(channelsIn: number, channelsOut: number, kernel: number, stride: number): object {
  return {
    name: 'ConvLayer',
    kernel_size: kernel,
    stride,
    dilation: 1,
    groups: 1,
    bias: false,
    has_shuffle: false,
    in_channels: channelsIn,
    out_channels: channelsOut,
    use_bn: true,
    act_func: 'relu6',
    dropout_rate: 0,
    ops_order: 'weight_bn_act',
  };
}
