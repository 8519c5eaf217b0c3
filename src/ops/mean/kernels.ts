import { elementCount } from '../../ir/types.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { meanMveKernels } from './mve.ts';
import { meanParameters } from './reference.ts';
import { bindMean } from './rows.ts';
import { meanShape } from './shape.ts';
import { meanSimdKernels } from './simd.ts';

/** Any so many int8 values have a sum in int16. */
const MOST_COLUMNS = 256;

/** Tried in order; see `Kernel`. */
export const meanKernels: readonly Kernel<'mean'>[] = [
  ...meanMveKernels((view) => bind(view, true)),
  ...meanSimdKernels,
  {
    name: 'mean_dsp_s8',
    isa: 'dsp',
    why: 'channels stay: one input row at a time, four channels at a time, is added to sums',
    refuses({ attrs, ins }) {
      const { reduced, inner } = meanShape(ins[0]!, attrs.axes);
      if (inner % 4 !== 0) return 'the values that stay apart are no multiple of four';
      return reduced > MOST_COLUMNS ? `a row of ${reduced} values overflows 16 bits` : undefined;
    },
    bind: (view) => bind(view, false),
  },
  {
    name: 'mean_s8',
    isa: 'portable',
    why: 'any neighbouring axes: one input row at a time is added to sums',
    refuses: () => undefined,
    bind: (view) => bind(view, true),
  },
];

function bind(view: NodeView<'mean'>, withGroups: boolean): CallSpec[] {
  const [x, y] = [view.ins[0]!, view.outs[0]!];
  const parameters = meanParameters(x, y, elementCount(x.shape) / elementCount(y.shape));
  const call = bindMean(view, { ...parameters.multiplier, out_zero_point: parameters.outZeroPoint });
  const { groups, ...geometry } = call.geometry;
  return [withGroups ? call : { ...call, geometry }];
}
