import { elementCount } from '../../ir/types.ts';
import type { Kernel } from '../definition.ts';
import { meanParameters } from './reference.ts';
import { bindMean } from './rows.ts';
import { meanSimdKernels } from './simd.ts';

/** Tried in order; see `Kernel`. */
export const meanKernels: readonly Kernel<'mean'>[] = [
  ...meanSimdKernels,
  {
    name: 'mean_s8',
    isa: 'portable',
    why: 'any neighbouring axes: one input row at a time is added to sums',
    refuses: () => undefined,
    bind(view) {
      const [x, y] = [view.ins[0]!, view.outs[0]!];
      const parameters = meanParameters(x, y, elementCount(x.shape) / elementCount(y.shape));
      return [bindMean(view, { ...parameters.multiplier, out_zero_point: parameters.outZeroPoint })];
    },
  },
];
