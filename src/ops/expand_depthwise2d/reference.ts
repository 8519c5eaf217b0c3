import { elementCount } from '../../ir/types.ts';
import { conv2dReference } from '../conv2d/reference.ts';
import type { ReferenceView, Tensor } from '../definition.ts';
import { depthwiseConv2dReference } from '../depthwise_conv2d/reference.ts';
import { expandAttributes, expandedType } from './halves.ts';

/**
 * conv2d into a temporary [N, H, W, channels], then depthwise_conv2d of it.
 * x [N, H, W, C], expansion weights [channels, 1, 1, C], depthwise weights [1, kh, kw, channels], y [N, H', W', channels].
 */
export function expandDepthwise2dReference({ attrs, ins, outs }: ReferenceView<'expand_depthwise2d'>): void {
  const [x, expandWeights, expandBias = null, weights, bias = null] = ins;
  const type = expandedType(attrs, x!, expandWeights!.shape[0]!);
  const expanded: Tensor = { ...type, data: new Int8Array(elementCount(type.shape)) };
  conv2dReference({
    attrs: expandAttributes(attrs),
    ins: [x!, expandWeights!, expandBias],
    outs: [expanded],
  });
  depthwiseConv2dReference({ attrs, ins: [expanded, weights!, bias], outs });
}
