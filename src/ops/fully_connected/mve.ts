/** Kernels for Helium. */
import { elementCount, type Value } from '../../ir/types.ts';
import { biasOf, foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { packDense, vectorRequantizeProblem } from '../mve.ts';
import { zeroPointOf } from '../quantization.ts';
import { vectors } from '../rows.ts';
import { fullyConnectedMultipliers } from './multipliers.ts';

type View = NodeView<'fully_connected'>;

/** Tried in order; see `Kernel`. */
export const fullyConnectedMveKernels: readonly Kernel<'fully_connected'>[] = [
  {
    name: 'fully_connected_mve_s8',
    isa: 'mve',
    shared: true,
    why: 'sixteen products at a time, four outputs share every input',
    refuses: (view) => vectorRequantizeProblem(multipliersOf(view)),
    bind,
  },
];

function bind(view: View): CallSpec[] {
  const [x, weights, bias] = view.ins as [Value, Value, Value | null | undefined];
  const y = view.outs[0]!;
  const [outputs, inputs] = weights.shape as [number, number];
  const rows = weights.data as Int8Array;
  const batch = elementCount(y.shape) / outputs;
  return [
    {
      geometry: {
        inputs,
        outputs,
        out_zero_point: zeroPointOf(y),
        out_min: view.attrs.clamp[0],
        out_max: view.attrs.clamp[1],
      },
      data: {
        packed: packDense(rows, 1, inputs, {
          bias: foldZeroPoint(biasOf(bias, outputs), rows, zeroPointOf(x)),
          multipliers: multipliersOf(view),
        }),
      },
      firings: batch,
      slots: [{ operand: 0, ...vectors(batch, inputs) }],
      output: vectors(batch, outputs),
    },
  ];
}

/** One multiplier per output. */
function multipliersOf({ ins, outs }: View): number[] {
  const [x, weights] = [ins[0]!, ins[1]!];
  const multipliers = fullyConnectedMultipliers(x, weights, outs[0]!);
  return Array.from({ length: weights.shape[0]! }, (_, i) => multipliers[i] ?? multipliers[0]!);
}
