/** Kernels for Helium. */
import type { CallSpec, Kernel, NodeView } from '../definition.ts';

/** `bind` is that of the portable kernel, on whose rows and sums this one works. Tried in order; see `Kernel`. */
export function meanMveKernels(
  bind: (view: NodeView<'mean'>) => readonly CallSpec[],
): readonly Kernel<'mean'>[] {
  return [
    {
      name: 'mean_mve_s8',
      isa: 'mve',
      shared: true,
      why: 'any neighbouring axes: one input row at a time is added to sums, four elements at a time',
      refuses(view) {
        const [{ geometry, scratchBytes }] = bind(view) as [CallSpec];
        if (scratchBytes === undefined) return 'the mean of a single row has no memory for sums';
        if (geometry.inner! < 4) return 'fewer than four elements are neighbours';
        return geometry.multiplier! > 0 && geometry.shift! <= -1
          ? undefined
          : 'the multiplier is 0 or not below 1/2';
      },
      bind,
    },
  ];
}
