import type { NodeView, OpDef, Problem } from '../definition.ts';
import { int8Problem, multiplierProblem, scaleOf } from '../quantization.ts';
import { sameShape } from '../strided.ts';
import { meanKernels } from './kernels.ts';
import { meanReference } from './reference.ts';

/** Raw int8 values whose sum is far inside int32. */
const MAX_COUNT = 1 << 23;

export const mean: OpDef<'mean'> = {
  name: 'mean',
  verify,
  macs: () => 0,
  reference: meanReference,
  kernels: meanKernels,
};

function verify({ attrs, ins, outs }: NodeView<'mean'>): Problem | undefined {
  const [x, y] = [ins[0], outs[0]!];
  if (!x) return { code: 'RV2005', message: 'the input is missing' };
  const operands = int8Problem(x, 'the input') ?? int8Problem(y, 'the output');
  if (operands) return operands;
  const { axes } = attrs;
  const first = axes[0] ?? -1;
  if (first < 0 || first + axes.length > x.shape.length || axes.some((axis, i) => axis !== first + i)) {
    return {
      code: 'RV2002',
      message: `axes [${axes}] are not neighbours among ${x.shape.length} dimensions`,
    };
  }
  const kept = x.shape.filter((_, dimension) => !axes.includes(dimension));
  if (!sameShape(withoutOnes(kept), withoutOnes(y.shape))) {
    return { code: 'RV2005', message: `the output is [${y.shape}] where axes [${axes}] leave [${kept}]` };
  }
  const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
  if (count > MAX_COUNT)
    return { code: 'RV2006', message: `the mean of ${count} values, more than ${MAX_COUNT}` };
  return multiplierProblem([scaleOf(x) / scaleOf(y)]);
}

/** Reduced dimensions may stay with size 1 or go. */
function withoutOnes(shape: readonly number[]): readonly number[] {
  return shape.filter((size) => size !== 1);
}
