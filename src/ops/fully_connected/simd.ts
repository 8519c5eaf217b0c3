/** Rows of the table for isa `simd`. */
import type { Value } from '../../ir/types.ts';
import type { Kernel, NodeView } from '../definition.ts';
import { denseWeights, type WeightedConstants, weightedConstants } from '../simd.ts';
import { fullyConnectedMultipliers } from './multipliers.ts';
import { vectorRows } from './rows.ts';

type View = NodeView<'fully_connected'>;

export const fullyConnectedSimdKernels: readonly Kernel<'fully_connected'>[] = [
  {
    name: 'conv2d_1x1_s8_simd',
    isa: 'simd',
    why: 'a pointwise convolution of one pixel, eight outputs at a time',
    shared: true,
    refuses(view) {
      const result = constants(view);
      return typeof result === 'string' ? result : undefined;
    },
    bind(view) {
      const [outputs, inputs] = view.ins[1]!.shape as [number, number];
      const data = constants(view) as WeightedConstants;
      return [
        {
          geometry: {
            width: 1,
            in_channels: inputs,
            out_channels: outputs,
            out_min: view.attrs.clamp[0],
            out_max: view.attrs.clamp[1],
          },
          data,
          ...vectorRows(view),
        },
      ];
    },
  },
];

function constants({ attrs, ins, outs }: View): WeightedConstants | string {
  const [x, weights, bias] = ins as [Value, Value, Value | null | undefined];
  const outputs = weights.shape[0]!;
  const found = fullyConnectedMultipliers(x, weights, outs[0]!);
  const multipliers = Array.from({ length: outputs }, (_, o) => found[found.length === 1 ? 0 : o]!);
  return weightedConstants(denseWeights, [x, weights, bias], [outs[0]!, attrs.clamp], multipliers);
}
