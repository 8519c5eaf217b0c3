import type { Value } from '../../ir/types.ts';
import { convolutionData } from '../convolution.ts';
import type { NodeView } from '../definition.ts';
import { type Channels, fastChannels } from '../fast-requantize.ts';
import { zeroPointOf } from '../quantization.ts';

interface Known extends Pick<NodeView<'conv2d'>, 'attrs' | 'ins'> {
  readonly channels: Channels | string;
}

/** By output. Every kernel asks, and schedules are searched by lowering a graph many times. */
const known = new WeakMap<Value, Known>();

/** The convolution's channels in a form for which the fast requantisation is exact, or why there is none. */
export function fastChannelsOf(view: NodeView<'conv2d'>): Channels | string {
  const found = known.get(view.outs[0]!);
  const isSame = found?.attrs === view.attrs && found.ins.every((value, i) => value === view.ins[i]);
  if (isSame) return found.channels;
  const channels = computed(view);
  known.set(view.outs[0]!, { attrs: view.attrs, ins: view.ins, channels });
  return channels;
}

function computed({ attrs, ins, outs }: NodeView<'conv2d'>): Channels | string {
  const [x, weights, bias] = ins as [Value, Value, Value | null | undefined];
  const data = convolutionData(x, weights, bias, outs[0]!, weights.shape[0]!);
  const channels = {
    weights: weights.data as Int8Array,
    bias: data.bias.data as Int32Array,
    multiplier: data.multiplier.data as Int32Array,
    shift: data.shift.data as Int8Array,
  };
  return fastChannels(channels, zeroPointOf(x), zeroPointOf(outs[0]!), attrs.clamp);
}
