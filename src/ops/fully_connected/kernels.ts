import type { Value } from '../../ir/types.ts';
import { biasOf, foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { zeroPointOf } from '../quantization.ts';
import { bindVectors } from './bind.ts';
import { fullyConnectedDspKernels } from './dsp.ts';
import { fullyConnectedMveKernels } from './mve.ts';
import { fullyConnectedSimdKernels } from './simd.ts';

/** Tried in order; see `Kernel`. */
export const fullyConnectedKernels: readonly Kernel<'fully_connected'>[] = [
  ...fullyConnectedMveKernels,
  ...fullyConnectedSimdKernels,
  ...fullyConnectedDspKernels,
  {
    name: 'fully_connected_s8',
    isa: 'portable',
    why: 'two outputs share every input they load',
    refuses: () => undefined,
    bind: bindPortable,
  },
];

function bindPortable(view: NodeView<'fully_connected'>): CallSpec[] {
  const [x, weights, bias] = view.ins as [Value, Value, Value | null | undefined];
  const filter = weights.data as Int8Array;
  const folded = foldZeroPoint(biasOf(bias, weights.shape[0]!), filter, zeroPointOf(x));
  return [
    bindVectors(view, {
      weights: { role: 'weights', data: filter },
      bias: { role: 'weights', data: folded },
    }),
  ];
}
