import { clamp } from '../../core/fixedpoint.ts';
import type { OpDef } from '../definition.ts';
import { bindWindow, forEachWindow, poolProblem } from '../pooling.ts';
import { planeOf } from '../rows.ts';

export const maxPool2d: OpDef<'max_pool2d'> = {
  name: 'max_pool2d',
  verify: poolProblem,
  macs: () => 0,
  /** The largest raw value inside the image. */
  reference(view) {
    const { clamp: bounds } = view.attrs;
    forEachWindow(view, (values, out) => {
      const largest = values.reduce((most, value) => Math.max(most, value));
      view.outs[0]!.data[out] = clamp(largest, bounds[0], bounds[1]);
    });
  },
  kernels: [
    {
      name: 'max_pool2d_mve_s8',
      isa: 'mve',
      shared: true,
      why: 'sixteen channels at a time',
      refuses: () => undefined,
      bind: (view) => [bindWindow(view)],
    },
    {
      name: 'max_pool2d_dsp_s8',
      isa: 'dsp',
      why: 'any window, stride and padding, four channels at a time',
      refuses: ({ ins }) => (planeOf(ins[0]!.shape).channels < 4 ? 'fewer than four channels' : undefined),
      bind: (view) => [bindWindow(view)],
    },
    {
      name: 'max_pool2d_s8',
      isa: 'portable',
      why: 'any window, stride and padding',
      refuses: () => undefined,
      bind: (view) => [bindWindow(view)],
    },
  ],
};
