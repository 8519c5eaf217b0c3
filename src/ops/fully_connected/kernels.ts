import type { Value } from '../../ir/types.ts';
import { biasOf, foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { multiplierConstants, zeroPointOf } from '../quantization.ts';
import { fullyConnectedMultipliers } from './multipliers.ts';
import { vectorRows } from './rows.ts';
import { fullyConnectedSimdKernels } from './simd.ts';

/** Tried in order; see `Kernel`. */
export const fullyConnectedKernels: readonly Kernel<'fully_connected'>[] = [
  ...fullyConnectedSimdKernels,
  {
    name: 'fully_connected_s8',
    isa: 'portable',
    why: 'two outputs share every input they load',
    refuses: () => undefined,
    bind,
  },
];

function bind(view: NodeView<'fully_connected'>): CallSpec[] {
  const { attrs, ins, outs } = view;
  const [x, weights, bias] = ins as [Value, Value, Value | null | undefined];
  const y = outs[0]!;
  const [outputs, inputs] = weights.shape as [number, number];
  const multipliers = fullyConnectedMultipliers(x, weights, y);
  return [
    {
      geometry: {
        inputs,
        outputs,
        multiplier_step: multipliers.length === 1 ? 0 : 1,
        out_zero_point: zeroPointOf(y),
        out_min: attrs.clamp[0],
        out_max: attrs.clamp[1],
      },
      data: {
        weights: { role: 'weights', data: weights.data! },
        bias: {
          role: 'weights',
          data: foldZeroPoint(biasOf(bias, outputs), weights.data as Int8Array, zeroPointOf(x)),
        },
        ...multiplierConstants(multipliers),
      },
      ...vectorRows(view),
    },
  ];
}
