/** Kernels for Helium. */
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import type { ElementwiseOp } from './arithmetic.ts';

type Geometry = Readonly<Record<string, number>>;

/**
 * A kernel for operators that have one; `bind` is that of the portable kernel, whose geometry it takes apart.
 * Tried in order; see `Kernel`.
 */
export function elementwiseMveKernels<K extends ElementwiseOp>(
  op: K,
  bind: (view: NodeView<K>) => readonly CallSpec[],
): readonly Kernel<K>[] {
  if (op !== 'add' && op !== 'mul') return [];
  const scaled = op === 'add' ? ['a', 'b', 'out'] : ['out'];
  return [
    {
      name: `${op}_mve_s8`,
      isa: 'mve',
      shared: true,
      why: 'four elements at a time',
      refuses(view) {
        const geometry = withExactHalves(bind(view)[0]!.geometry);
        if (geometry.a_channel_stride !== 1 || geometry.b_channel_stride !== 1) {
          return 'an operand has a single channel for all';
        }
        const isScaled = (name: string): boolean =>
          geometry[`${name}_multiplier`]! > 0 && geometry[`${name}_shift`]! <= -1;
        return scaled.every(isScaled) ? undefined : 'a multiplier is 0 or not below 1/2';
      },
      bind: (view) => bind(view).map((spec) => ({ ...spec, geometry: ownGeometry(op, spec.geometry) })),
    },
  ];
}

function ownGeometry(op: 'add' | 'mul', geometry: Geometry): Geometry {
  const { a_channel_stride, b_channel_stride, ...rest } = geometry;
  return op === 'add' ? withExactHalves(rest) : rest;
}

/**
 * The operand of the larger scale is multiplied by exactly 1/2, for which the vector requantisation has no shift: twice the
 * factor and a shift of -1 are the same, as nothing is rounded.
 */
function withExactHalves(geometry: Geometry): Geometry {
  const halves = ['a', 'b'].flatMap((name) => {
    const isHalf = geometry[`${name}_multiplier`] === 2 ** 30 && geometry[`${name}_shift`] === 0;
    return [[`${name}_factor`, isHalf ? 2 ** 21 : 2 ** 20], ...(isHalf ? [[`${name}_shift`, -1]] : [])];
  });
  return { ...geometry, ...Object.fromEntries(halves) };
}
