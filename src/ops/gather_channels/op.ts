import { movedBytesProblem } from '../bytes.ts';
import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { eachRow, planeOf } from '../rows.ts';
import { sameShape } from '../strided.ts';

type View = NodeView<'gather_channels'>;

/** Channels are int16 in the kernel. */
const MAX_CHANNELS = 1 << 15;

/** Some channels of an activation: what is kept of it until the weights that multiply them are updated. */
export const gatherChannels: OpDef<'gather_channels'> = {
  name: 'gather_channels',
  verify,
  macs: () => 0,
  reference,
  kernels: [
    {
      name: 'gather_channels_s8',
      isa: 'portable',
      shared: true,
      why: 'any channels, one by one',
      refuses: () => undefined,
      bind: (view) => [bind(view)],
    },
  ],
};

function verify({ attrs: { channels }, ins, outs }: View): Problem | undefined {
  const [x, y] = [ins[0], outs[0]!];
  if (!x) return { code: 'RV2005', message: 'the input is missing' };
  const count = x.shape[3] ?? 0;
  if (x.shape.length !== 4 || !sameShape(y.shape, x.shape.with(3, channels.length))) {
    return {
      code: 'RV2005',
      message: `the output is [${y.shape}] for ${channels.length} channels of an input [${x.shape}]`,
    };
  }
  const bad = channels.find((channel) => !Number.isInteger(channel) || channel < 0 || channel >= count);
  if (bad !== undefined || channels.length === 0 || count > MAX_CHANNELS) {
    return {
      code: 'RV2002',
      message: `channels [${channels.slice(0, 8)}] of ${count} cannot be gathered`,
    };
  }
  return movedBytesProblem(x, y);
}

/** y[..., j] = x[..., channels[j]] */
function reference({ attrs: { channels }, ins, outs }: ReferenceView<'gather_channels'>): void {
  const [x, y] = [ins[0]!, outs[0]!];
  const count = x.shape[3]!;
  for (let i = 0; i < y.data.length; ++i) {
    const pixel = Math.floor(i / channels.length);
    y.data[i] = x.data[pixel * count + channels[i % channels.length]!]!;
  }
}

function bind({ attrs: { channels }, ins, outs }: View): CallSpec {
  const [x, y] = [ins[0]!, outs[0]!];
  const { width, channels: count } = planeOf(x.shape);
  const output = eachRow(y);
  // Ascending, each is read no earlier than its place is written.
  const ascends = channels.every((channel, j) => j === 0 || channel > channels[j - 1]!);
  return {
    geometry: { width, in_channels: count, out_channels: channels.length },
    data: { channels: { role: 'table', data: Int16Array.from(channels) } },
    firings: output.rows.length,
    slots: [{ operand: 0, ...eachRow(x) }],
    output,
    inPlace: ascends && x.data === undefined ? [0] : [],
  };
}
