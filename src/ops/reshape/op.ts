import { elementCount } from '../../ir/types.ts';
import type { NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';

/**
 * The same bytes under another shape. Like TFLM's RESHAPE it does not look at scale and zero point: where input and
 * output disagree, the raw values stay.
 */
export const reshape: OpDef<'reshape'> = {
  name: 'reshape',
  verify,
  macs: () => 0,
  reference,
  kernels: 'alias',
};

function verify({ ins, outs }: NodeView<'reshape'>): Problem | undefined {
  const [x, y] = [ins[0], outs[0]];
  if (!x || !y) return { code: 'RV2005', message: 'an operand is missing' };
  if (x.dtype !== y.dtype)
    return { code: 'RV2003', message: `the input is ${x.dtype} and the output ${y.dtype}` };
  if (elementCount(x.shape) !== elementCount(y.shape)) {
    return { code: 'RV2005', message: `[${x.shape}] cannot be reshaped to [${y.shape}]` };
  }
  return undefined;
}

function reference({ ins, outs }: ReferenceView<'reshape'>): void {
  const [from, to] = [ins[0]!.data, outs[0]!.data];
  for (let i = 0; i < to.length; ++i) to[i] = from[i]!;
}
