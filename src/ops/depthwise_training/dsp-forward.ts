/** The kernel of trained_depthwise_conv2d for the Armv7E-M DSP extension, for frozen weights. */
import type { Value } from '../../ir/types.ts';
import { channelMultipliers, foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { planeBytes, windowGeometry } from '../depthwise_conv2d/dsp.ts';
import { channelsFirst, rows } from '../depthwise_conv2d/layout.ts';
import { multiplierConstants, zeroPointOf } from '../quantization.ts';
import { wholeTensor } from '../rows.ts';
import { slidingProblem } from './dsp.ts';

type View = NodeView<'trained_depthwise_conv2d'>;

/** Most bytes of planes in scratch. */
const MOST_SCRATCH = 4096;

export const trainedDepthwiseDspKernel: Kernel<'trained_depthwise_conv2d'> = {
  name: 'trained_depthwise_conv2d_dsp_s8',
  isa: 'dsp',
  why: 'windows slide over planes, two taps an instruction',
  refuses(view) {
    const { attrs, ins } = view;
    const problem = slidingProblem(attrs, ins[1]!, ins[3]);
    if (problem) return problem;
    if (attrs.stride[1] > 2) return `stride ${attrs.stride[1]}`;
    return planesOf(view) === 0 ? `a plane has more than ${MOST_SCRATCH} bytes` : undefined;
  },
  bind: (view) => [bind(view)],
};

/** The same node with what is constant of it. */
function frozen({ attrs, ins, outs }: View): NodeView<'depthwise_conv2d'> {
  return { attrs, ins: ins.slice(0, 2), outs };
}

/** How many planes are worked on together, 4 or 1; 0: not even one has room. */
function planesOf(view: View): 0 | 1 | 4 {
  const fits = (planes: number): boolean => planeBytes(frozen(view), planes) <= MOST_SCRATCH;
  return fits(4) ? 4 : fits(1) ? 1 : 0;
}

function bind(view: View): CallSpec {
  const [x, weights, bias] = view.ins as [Value, Value, Value];
  const y = view.outs[0]!;
  const channels = weights.shape[3]!;
  const node = frozen(view);
  const planes = planesOf(view) as 1 | 4;
  const window = rows(node);
  const packed = channelsFirst(weights);
  return {
    geometry: {
      ...windowGeometry(node, planes),
      size: weights.shape[1]!,
      planes,
      in_zero_point: zeroPointOf(x),
    },
    data: {
      weights: { role: 'weights', data: packed },
      folded: { role: 'weights', data: foldZeroPoint(new Int32Array(channels), packed, zeroPointOf(x)) },
      ...multiplierConstants(channelMultipliers(x, weights, y, channels)),
    },
    ...window,
    slots: [...window.slots, { operand: 2, ...wholeTensor(bias, window.firings) }],
    scratchBytes: planeBytes(node, planes),
  };
}
