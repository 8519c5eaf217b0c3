/** How channels (indices of the last axis) hang together across an operator: what has to go for one channel to go. */
import { isPadded } from '../analysis/accumulators.ts';
import type { OpName } from '../ir/attributes.ts';
import type { Node, NodeOf, Shape } from '../ir/types.ts';
import type { NodeView } from '../ops/definition.ts';

/**
 * What an operator does with the channels of one operand.
 *
 * coupled: output channel o is computed from channel `from[o]` of the operand and from no other, or from none of it (−1).
 * Where a channel goes, all that are computed from it go, and the operator does its work on those that stay.
 * summed: every output sums over all channels with weights; a channel whose share is known can go alone.
 * needed: the operator works on all channels or none.
 */
export type ChannelLink =
  | { readonly kind: 'coupled'; readonly from: Int32Array }
  | { readonly kind: 'summed'; readonly padded: boolean }
  | { readonly kind: 'needed' };

export interface ChannelLinks {
  /** Whether output channels can go, together with what they are coupled to. */
  readonly sheds: boolean;
  /** By operand; weights and biases are needed, they follow from what the operator does. */
  readonly operands: readonly ChannelLink[];
}

const NEEDED: ChannelLink = { kind: 'needed' };

export function channelLinksOf(node: Node, view: NodeView<OpName>): ChannelLinks {
  const x = view.ins[0]?.shape ?? [];
  const y = view.outs[0]!.shape;
  const [from, to] = [channelsOf(x), channelsOf(y)];
  switch (node.op) {
    case 'conv2d':
      return view.ins[1]!.shape[3] === from ? summed(view, isPadded(node.attrs.padding)) : whole(view);
    case 'transpose_conv2d':
      // Which taps reach a pixel depends on the pixel, as with padding.
      return summed(view, true);
    case 'fully_connected':
      return view.ins[1]!.shape[1]! % from === 0
        ? { ...summed(view, false), sheds: view.ins[1]!.shape[0] === to }
        : whole(view);
    case 'depthwise_conv2d':
      return first(view, (o) => Math.floor((o * from) / to));
    case 'add':
    case 'sub':
    case 'mul':
    case 'maximum':
    case 'minimum':
    case 'prelu':
      return { sheds: true, operands: view.ins.map((operand) => alike(channelsOf(operand!.shape), to)) };
    case 'concat':
      return { sheds: true, operands: joined(node, view) };
    case 'average_pool2d':
    case 'max_pool2d':
    case 'resize_nearest':
    case 'resize_bilinear':
    case 'logistic':
    case 'tanh':
    case 'relu':
    case 'leaky_relu':
    case 'hard_swish':
    case 'quantize':
      return first(view, (o) => o);
    case 'reshape':
      // A longer last axis repeats the shorter one: flattened images, channels and all.
      return to % from === 0 ? first(view, (o) => o % from) : whole(view);
    case 'mean':
      return !node.attrs.axes.includes(x.length - 1) && from === to ? first(view, (o) => o) : whole(view);
    case 'pad':
      return [node.attrs.before, node.attrs.after].every((sizes) => sizes.at(-1) === 0)
        ? first(view, (o) => o)
        : whole(view);
    case 'slice':
      return from === to && node.attrs.strides.at(-1) === 1 ? first(view, (o) => o) : whole(view);
    case 'transpose':
      return node.attrs.permutation.at(-1) === x.length - 1 ? first(view, (o) => o) : whole(view);
    case 'expand_depthwise2d':
    case 'softmax':
    case 'dequantize':
    case 'softmax_cross_entropy_loss':
    case 'quantized_softmax_cross_entropy_gradient':
    case 'clamp_mask':
    case 'trained_conv2d':
    case 'quantized_conv2d_input_gradient':
    case 'conv2d_update':
    case 'bias_update':
    case 'gather_channels':
    case 'trained_depthwise_conv2d':
    case 'quantized_depthwise_conv2d_input_gradient':
    case 'depthwise_conv2d_update':
    case 'gradient_sum':
    case 'mean_gradient':
    case 'quantized_softmax_gradient':
    case 'quantized_resize_nearest_gradient':
    case 'quantized_resize_bilinear_gradient':
    case 'quantized_average_pool2d_gradient':
    case 'quantized_max_pool2d_gradient':
    case 'unary_gradient':
    case 'mul_gradient':
    case 'conv2d_input_gradient':
    case 'conv2d_weight_gradient':
    case 'depthwise_conv2d_input_gradient':
    case 'depthwise_conv2d_weight_gradient':
    case 'average_pool2d_gradient':
    case 'max_pool2d_gradient':
    case 'clamp_gradient':
    case 'batch_moments':
    case 'batch_norm':
    case 'batch_norm_parameter_gradient':
    case 'batch_norm_input_gradient':
    case 'sum':
    case 'broadcast':
    case 'slice_gradient':
    case 'resize_nearest_gradient':
    case 'resize_bilinear_gradient':
    case 'softmax_cross_entropy':
    case 'softmax_cross_entropy_gradient':
    case 'running_average':
    case 'sgd_update':
    case 'adam_update':
      return whole(view);
  }
}

export function channelsOf(shape: Shape): number {
  return shape.at(-1) ?? 1;
}

function whole({ ins }: NodeView<OpName>): ChannelLinks {
  return { sheds: false, operands: ins.map(() => NEEDED) };
}

function summed({ ins }: NodeView<OpName>, padded: boolean): ChannelLinks {
  return { sheds: true, operands: ins.map((_, i) => (i === 0 ? { kind: 'summed', padded } : NEEDED)) };
}

/** The first operand is coupled, the others follow. */
function first({ ins, outs }: NodeView<OpName>, channelOf: (output: number) => number): ChannelLinks {
  const from = Int32Array.from({ length: channelsOf(outs[0]!.shape) }, (_, o) => channelOf(o));
  return { sheds: true, operands: ins.map((_, i) => (i === 0 ? { kind: 'coupled', from } : NEEDED)) };
}

/** An element-wise operand with a channel for each of the output's, or one that is broadcast. */
function alike(channels: number, outputs: number): ChannelLink {
  return channels === outputs
    ? { kind: 'coupled', from: Int32Array.from({ length: outputs }, (_, o) => o) }
    : NEEDED;
}

function joined({ attrs }: NodeOf<'concat'>, { ins, outs }: NodeView<OpName>): ChannelLink[] {
  const { shape } = outs[0]!;
  const outputs = channelsOf(shape);
  if (attrs.axis !== shape.length - 1) return ins.map(() => alike(outputs, outputs));
  let start = 0;
  return ins.map((operand): ChannelLink => {
    const [begin, end] = [start, start + channelsOf(operand!.shape)];
    start = end;
    const from = Int32Array.from({ length: outputs }, (_, o) => (o >= begin && o < end ? o - begin : -1));
    return { kind: 'coupled', from };
  });
}
