import { conv2d } from '../conv2d/op.ts';
import type { NodeView, OpDef, Problem } from '../definition.ts';
import { depthwiseConv2d } from '../depthwise_conv2d/op.ts';
import { carriedRowsOf, expandedRows, halvesOf } from './halves.ts';
import { expandDepthwise2dKernels, scratchBytesOf } from './kernels.ts';
import { expandDepthwise2dReference } from './reference.ts';

/** Most bytes of scratch; keeps the kernel's arithmetic far inside int32. */
const MAX_SCRATCH = 1 << 24;

export const expandDepthwise2d: OpDef<'expand_depthwise2d'> = {
  name: 'expand_depthwise2d',
  verify,
  /** The expansion of every row, as often as it is done, and the depthwise convolution. */
  macs(view) {
    const [x, expandWeights] = view.ins;
    const [, width, channels] = x!.shape.slice(1);
    const rows = expandedRows(view).reduce(
      (sum, slot) => sum + slot.rows.filter((row) => row >= 0).length,
      0,
    );
    return (
      rows * width! * channels! * expandWeights!.shape[0]! + depthwiseConv2d.macs(halvesOf(view).depthwise)
    );
  },
  reference: expandDepthwise2dReference,
  kernels: expandDepthwise2dKernels,
};

function verify(view: NodeView<'expand_depthwise2d'>): Problem | undefined {
  const { attrs, ins } = view;
  const [x, expandWeights] = ins;
  if (!x || !expandWeights || !ins[3]) {
    return { code: 'RV2005', message: 'the input or weights are missing' };
  }
  if (!Number.isInteger(attrs.expandedZeroPoint)) {
    return { code: 'RV2004', message: `the expanded zero point is ${attrs.expandedZeroPoint}` };
  }
  const { expand, depthwise } = halvesOf(view);
  const problem = conv2d.verify(expand);
  if (problem) return problem;
  const [channels, height, width, inChannels] = expandWeights.shape;
  if (height !== 1 || width !== 1 || inChannels !== x.shape[3]) {
    return { code: 'RV2005', message: `expansion weights [${expandWeights.shape}] are not pointwise` };
  }
  const weights = depthwise.ins[1]!;
  if (weights.shape[3] !== channels) {
    return { code: 'RV2005', message: `weights [${weights.shape}] do not fit ${channels} channels` };
  }
  const depthwiseProblem = depthwiseConv2d.verify(depthwise);
  if (depthwiseProblem) return depthwiseProblem;
  if (attrs.carries && (attrs.dilation[0] !== 1 || carriedRowsOf(view) < 1)) {
    return {
      code: 'RV2002',
      message: 'no two windows have neighbouring rows in common that could be carried',
    };
  }
  const scratch = scratchBytesOf(view);
  return scratch > MAX_SCRATCH
    ? { code: 'RV2006', message: `the window needs ${scratch} bytes of scratch` }
    : undefined;
}
