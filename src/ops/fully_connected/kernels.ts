import { elementCount, type Value } from '../../ir/types.ts';
import { biasOf, foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { multiplierConstants, zeroPointOf } from '../quantization.ts';
import { vectors } from '../rows.ts';
import { fullyConnectedMultipliers } from './multipliers.ts';
import { fullyConnectedMveKernels } from './mve.ts';

/** Tried in order; see `Kernel`. */
export const fullyConnectedKernels: readonly Kernel<'fully_connected'>[] = [
  ...fullyConnectedMveKernels,
  {
    name: 'fully_connected_s8',
    isa: 'portable',
    why: 'two outputs share every input they load',
    refuses: () => undefined,
    bind,
  },
];

function bind({ attrs, ins, outs }: NodeView<'fully_connected'>): CallSpec[] {
  const [x, weights, bias] = ins as [Value, Value, Value | null | undefined];
  const y = outs[0]!;
  const [outputs, inputs] = weights.shape as [number, number];
  const multipliers = fullyConnectedMultipliers(x, weights, y);
  const batch = elementCount(y.shape) / outputs;
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
      firings: batch,
      slots: [{ operand: 0, ...vectors(batch, inputs) }],
      output: vectors(batch, outputs),
    },
  ];
}
