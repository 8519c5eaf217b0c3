import type { TfliteImporter } from '../import-context.ts';

/** A transposition that only moves dimensions of size 1 is a reshape. */
export const importTranspose: TfliteImporter<'TRANSPOSE'> = (_, context) => {
  const [x, y] = [context.operand(0), context.result()];
  const rank = x.shape.length;
  const permutation = context
    .constant(1, 'the permutation')
    .map((dimension) => context.axis(dimension, rank));
  const moved = permutation.filter((dimension) => x.shape[dimension] !== 1);
  const inOrder = moved.every((dimension, i) => i === 0 || dimension > moved[i - 1]!);
  if (inOrder && permutation.length === rank && new Set(permutation).size === rank) {
    context.node('reshape', {}, [x], [y]);
  } else {
    context.node('transpose', { permutation }, [x], [y]);
  }
};
