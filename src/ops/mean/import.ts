import { type TensorType, typeOf, type Value } from '../../ir/types.ts';
import type { ImportContext, TfliteImporter } from '../import-context.ts';

/** Operands [x, axes]. Axes that are not neighbours are brought together by a transpose. */
export const importMean: TfliteImporter<'MEAN'> = (_operator, context) => {
  const x = context.operand(0);
  const rank = x.shape.length;
  const named = new Set(context.constant(1, 'the list of axes').map((axis) => context.axis(axis, rank)));
  if (named.size === 0) context.reject('RV2002', 'the mean is over no axes');
  const axes = [...named].sort((a, b) => a - b);
  const joined = joinedBySingles(axes, x.shape);
  if (joined !== undefined) {
    context.node('mean', { axes: joined }, [x]);
    return;
  }
  const kept = x.shape.map((_, dimension) => dimension).filter((dimension) => !named.has(dimension));
  const gathered = transposed(context, x, [...kept, ...axes]);
  context.node('mean', { axes: axes.map((_, i) => kept.length + i) }, [gathered]);
};

/** All dimensions from the first axis to the last, if those in between have size 1 or are axes themselves. */
function joinedBySingles(axes: readonly number[], shape: readonly number[]): number[] | undefined {
  const first = axes[0]!;
  const all = Array.from({ length: axes[axes.length - 1]! - first + 1 }, (_, i) => first + i);
  return all.every((dimension) => axes.includes(dimension) || shape[dimension] === 1) ? all : undefined;
}

function transposed(context: ImportContext, x: Value, permutation: readonly number[]): Value {
  const type: TensorType = { ...typeOf(x), shape: permutation.map((dimension) => x.shape[dimension]!) };
  const between = context.between('gathered', type);
  context.node('transpose', { permutation }, [x], [between]);
  return between;
}
