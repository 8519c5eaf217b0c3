/** Rows of the table for isa `simd`. */
import { elementCount } from '../../ir/types.ts';
import type { Kernel, NodeView } from '../definition.ts';
import { LANES, scalingFields } from '../simd.ts';
import { meanParameters } from './reference.ts';
import { bindMean } from './rows.ts';
import { meanShape } from './shape.ts';

type Fields = Readonly<Record<string, number>>;

export const meanSimdKernels: readonly Kernel<'mean'>[] = [
  {
    name: 'mean_s8_simd',
    isa: 'simd',
    why: 'eight sums at a time',
    shared: true,
    refuses(view) {
      const { inner } = meanShape(view.ins[0]!, view.attrs.axes);
      if (inner % LANES !== 0) return 'neighbours do not come in eights';
      const found = scaling(view);
      return typeof found === 'string' ? found : undefined;
    },
    bind: (view) => [bindMean(view, scaling(view) as Fields)],
  },
];

function scaling({ ins, outs }: NodeView<'mean'>): Fields | string {
  const [x, y] = [ins[0]!, outs[0]!];
  const count = elementCount(x.shape) / elementCount(y.shape);
  const { multiplier, outZeroPoint } = meanParameters(x, y, count);
  return scalingFields('', multiplier, 255 * count, { zeroPoint: outZeroPoint, clamp: [-128, 127] });
}
