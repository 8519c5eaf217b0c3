import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { bindWindow } from '../pooling.ts';
import { planeOf, rowsBy, rowsOf } from '../rows.ts';
import { averagePool2dMveKernels } from './mve.ts';

const byRows: Kernel<'average_pool2d'> = {
  name: 'average_pool2d_rows_s8',
  isa: 'portable',
  why: 'tall windows that do not overlap: one input row at a time is added to sums',
  refuses: rowsProblem,
  bind: bindRows,
};

/** Any so many int8 values have a sum in int16. */
const MOST_VALUES = 256;

/** Tried in order; see `Kernel`. */
export const averagePool2dKernels: readonly Kernel<'average_pool2d'>[] = [
  ...averagePool2dMveKernels(byRows),
  {
    name: 'average_pool2d_rows_dsp_s8',
    isa: 'dsp',
    why: 'tall windows that do not overlap: one input row at a time, four channels at a time, is added to sums',
    refuses(view) {
      const { kernel } = view.attrs;
      if (planeOf(view.ins[0]!.shape).channels % 4 !== 0) return 'the channels are no multiple of four';
      if (kernel[1] > MOST_VALUES) return `a row of ${kernel[1]} values overflows 16 bits`;
      return rowsProblem(view);
    },
    bind: bindRows,
  },
  byRows,
  {
    name: 'average_pool2d_dsp_s8',
    isa: 'dsp',
    why: 'any stride and padding, four channels at a time',
    refuses({ attrs: { kernel }, ins }) {
      if (planeOf(ins[0]!.shape).channels < 4) return 'fewer than four channels';
      return kernel[0] * kernel[1] > MOST_VALUES ? `a window of [${kernel}] overflows 16 bits` : undefined;
    },
    bind: (view) => [bindWindow(view)],
  },
  {
    name: 'average_pool2d_s8',
    isa: 'portable',
    why: 'any window, stride and padding',
    refuses: () => undefined,
    bind: (view) => [bindWindow(view)],
  },
];

/** Why input rows cannot be added to sums one at a time, or should not. */
function rowsProblem(view: NodeView<'average_pool2d'>): string | undefined {
  const { attrs } = view;
  const [x, y] = [view.ins[0]!, view.outs[0]!];
  if (attrs.padding[0] !== 0 || attrs.padding[1] !== 0) return 'rows are padded';
  if (planeOf(y.shape).height > 1 && attrs.stride[0] < attrs.kernel[0]) return 'windows overlap';
  if (sumBytes(view) >= (attrs.kernel[0] - 1) * rowsOf(x).bytes) {
    return 'the sums take as much memory as the rows of a window';
  }
  return undefined;
}

/** Bytes of the int32 sums of one output row. */
function sumBytes({ outs }: NodeView<'average_pool2d'>): number {
  return rowsOf(outs[0]!).bytes * Int32Array.BYTES_PER_ELEMENT;
}

/** Firing i adds row i % kernel height of window floor(i / kernel height); the last row of a window writes the output. */
function bindRows(view: NodeView<'average_pool2d'>): CallSpec[] {
  const { attrs } = view;
  const [x, y] = [view.ins[0]!, view.outs[0]!];
  const kernelHeight = attrs.kernel[0];
  const inHeight = planeOf(x.shape).height;
  const outHeight = planeOf(y.shape).height;
  const firings = rowsOf(y).count * kernelHeight;
  const inRow = (firing: number): number => {
    const window = Math.floor(firing / kernelHeight);
    const image = Math.floor(window / outHeight);
    return image * inHeight + (window % outHeight) * attrs.stride[0] + (firing % kernelHeight);
  };
  const outRow = (firing: number): number =>
    (firing + 1) % kernelHeight === 0 ? Math.floor(firing / kernelHeight) : -1;
  return [
    {
      geometry: bindWindow(view).geometry,
      data: {},
      firings,
      slots: [{ operand: 0, ...rowsBy(x, firings, inRow) }],
      output: rowsBy(y, firings, outRow),
      scratchBytes: sumBytes(view),
      scratchKeeps: true,
      reversible: false,
    },
  ];
}
