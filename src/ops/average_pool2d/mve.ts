/** Kernels for Helium. */
import type { CallSpec, Kernel, NodeView } from '../definition.ts';

type View = NodeView<'average_pool2d'>;

/** A faster form of the portable kernel that adds up rows, on the same rows and sums. Tried in order; see `Kernel`. */
export function averagePool2dMveKernels(rows: Kernel<'average_pool2d'>): readonly Kernel<'average_pool2d'>[] {
  return [
    {
      name: 'average_pool2d_rows_mve_s8',
      isa: 'mve',
      shared: true,
      why: 'tall windows that do not overlap: one input row at a time is added to sums, four channels at a time',
      refuses(view) {
        if (view.attrs.padding[2] !== 0 || view.attrs.padding[3] !== 0) return 'columns are padded';
        return rows.refuses(view);
      },
      bind: (view) => bind(rows, view),
    },
  ];
}

function bind(rows: Kernel<'average_pool2d'>, view: View): CallSpec[] {
  return rows.bind(view).map((spec) => {
    const { in_width, pad_left, ...geometry } = spec.geometry;
    return { ...spec, geometry };
  });
}
