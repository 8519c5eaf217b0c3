import { fail } from '../../core/diagnostics.ts';
import type { OpName } from '../../ir/attributes.ts';
import { conv2dKernels } from '../conv2d/kernels.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { depthwiseConv2dKernels } from '../depthwise_conv2d/kernels.ts';
import { planeOf } from '../rows.ts';
import { expandDspKernels } from './dsp.ts';
import { carriedRowsOf, expandedRows, halvesOf } from './halves.ts';

type View = NodeView<'expand_depthwise2d'>;

/** Expanded channels that lie in scratch at a time: enough for every loaded pixel and weight to be used twice. */
const CHANNELS_AT_A_TIME = 2;

/** Tried in order; see `Kernel`. */
export const expandDepthwise2dKernels: readonly Kernel<'expand_depthwise2d'>[] = [
  ...expandDspKernels,
  {
    name: 'expand_depthwise2d_s8',
    isa: 'portable',
    why: 'expands two channels at a time, so that only narrow rows and those of the next window wait',
    refuses: () => undefined,
    bind,
  },
];

/** Bytes of the planes and of the rows that are carried; the node must be valid but for this size. */
export function scratchBytesOf(view: View): number {
  const depthwise = bindDepthwise(view);
  const carried = carriedRowsOf(view) * inColumnsOf(depthwise) * view.ins[1]!.shape[0]!;
  return CHANNELS_AT_A_TIME * depthwise.scratchBytes! + carried;
}

/** The constants of both halves are those of their own kernels, which this one is made of. */
function bind(view: View): CallSpec[] {
  const [x, expandWeights] = [view.ins[0]!, view.ins[1]!];
  const expand = bindAs(conv2dKernels, 'conv2d_1x1_s8', halvesOf(view).expand);
  const depthwise = bindDepthwise(view);
  const window = depthwise.geometry;
  return [
    {
      geometry: {
        in_channels: planeOf(x.shape).channels,
        in_columns: inColumnsOf(depthwise),
        channels: expandWeights.shape[0]!,
        expanded_zero_point: expand.geometry.out_zero_point!,
        expanded_min: expand.geometry.out_min!,
        expanded_max: expand.geometry.out_max!,
        pad_left: window.pad_left!,
        plane_width: window.plane_width!,
        carried_rows: carriedRowsOf(view),
        out_height: planeOf(view.outs[0]!.shape).height,
        out_width: window.out_width!,
        kernel_height: window.kernel_height!,
        kernel_width: window.kernel_width!,
        stride: window.stride!,
        dilation: window.dilation!,
        out_zero_point: window.out_zero_point!,
        out_min: window.out_min!,
        out_max: window.out_max!,
      },
      data: {
        expand_weights: expand.data.weights!,
        expand_bias: expand.data.bias!,
        expand_multiplier: expand.data.multiplier!,
        expand_shift: expand.data.shift!,
        ...depthwise.data,
      },
      firings: depthwise.firings,
      slots: expandedRows(view),
      output: depthwise.output,
      scratchBytes: scratchBytesOf(view),
      scratchKeeps: view.attrs.carries,
      reversible: !view.attrs.carries,
    },
  ];
}

/** Columns of the input under any window. */
function inColumnsOf({ geometry }: CallSpec): number {
  return Math.max(0, geometry.in_columns!);
}

function bindDepthwise(view: View): CallSpec {
  return bindAs(depthwiseConv2dKernels, 'depthwise_conv2d_plane_s8', halvesOf(view).depthwise);
}

function bindAs<K extends OpName>(table: readonly Kernel<K>[], name: string, view: NodeView<K>): CallSpec {
  const kernel = table.find((candidate) => candidate.name === name);
  return kernel?.bind(view)[0] ?? fail('RV9003', `there is no kernel ${name}`);
}
