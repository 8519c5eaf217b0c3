import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { scaleOf } from '../quantization.ts';
import { eachRow, planeOf } from '../rows.ts';
import { softmaxTable } from './table.ts';

/** Tried in order; see `Kernel`. */
export const softmaxKernels: readonly Kernel<'softmax'>[] = [
  {
    name: 'softmax_s8',
    isa: 'portable',
    why: 'exponentials from a table of 256',
    refuses: () => undefined,
    bind,
  },
];

function bind({ attrs, ins, outs }: NodeView<'softmax'>): CallSpec[] {
  const [x, y] = [ins[0]!, outs[0]!];
  const rows = eachRow(x);
  return [
    {
      geometry: { width: planeOf(x.shape).width, depth: planeOf(x.shape).channels },
      data: { exponentials: { role: 'table', data: softmaxTable(attrs.beta, scaleOf(x)) } },
      firings: rows.rows.length,
      slots: [{ operand: 0, ...rows }],
      output: eachRow(y),
      inPlace: [0],
    },
  ];
}
