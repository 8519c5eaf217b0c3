/** Kernels for the Armv7E-M DSP extension: square windows of 3, 5 and 7 with stride 1 or 2. */
import { fail } from '../../core/diagnostics.ts';
import type { Value } from '../../ir/types.ts';
import { convolutionData, foldZeroPoint } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import {
  planeBytes,
  records,
  SIZES,
  type Size,
  STACK_BYTES,
  windowGeometry,
  windowProblem,
} from '../depthwise_conv2d/dsp.ts';
import { rows } from '../depthwise_conv2d/layout.ts';
import { fastChannels } from '../fast-requantize.ts';
import { zeroPointOf } from '../quantization.ts';
import { planeOf } from '../rows.ts';
import { carriedRowsOf, expandedRows, halvesOf } from './halves.ts';

type View = NodeView<'expand_depthwise2d'>;

/** Planes of the two channels that are expanded together. */
const PLANES = 2;

export const expandDspKernels: readonly Kernel<'expand_depthwise2d'>[] = SIZES.map((size) => ({
  name: `expand_depthwise2d_${size}x${size}_dsp_s8`,
  isa: 'dsp',
  why: 'expands two channels at a time into planes on the stack, over which windows slide, two products an instruction',
  shared: true,
  refuses: (view) => refuses(view, size),
  bind: (view) => [bind(view)],
}));

function refuses(view: View, size: Size): string | undefined {
  const { expand, depthwise } = halvesOf(view);
  const problem = windowProblem(depthwise, size);
  if (problem) return problem;
  if (planeOf(expand.ins[0]!.shape).channels % 4 !== 0) {
    return 'the number of input channels is not a multiple of 4';
  }
  if (planeBytes(depthwise, PLANES) > STACK_BYTES) return 'two planes are too large for the stack';
  const stream = expansion(expand);
  return typeof stream === 'string' ? stream : undefined;
}

function bind(view: View): CallSpec {
  const { expand, depthwise } = halvesOf(view);
  const window = windowGeometry(depthwise, PLANES);
  const carriedRows = carriedRowsOf(view);
  const stream = expansion(expand);
  if (typeof stream === 'string') return fail('RV9003', stream);
  return {
    geometry: {
      ...window,
      in_channels: planeOf(expand.ins[0]!.shape).channels,
      expanded_zero_point: zeroPointOf(expand.outs[0]!),
      expanded_min: expand.attrs.clamp[0],
      expanded_max: expand.attrs.clamp[1],
      carried_rows: carriedRows,
      out_height: planeOf(view.outs[0]!.shape).height,
    },
    data: {
      stream: { role: 'weights', data: stream },
      records: { role: 'weights', data: records(depthwise) },
    },
    ...rows(depthwise),
    slots: expandedRows(view),
    scratchBytes: carriedRows * window.in_columns * window.channels,
    scratchKeeps: view.attrs.carries,
    reversible: !view.attrs.carries,
  };
}

/**
 * The constants of the expansion, as runtime/rivulet_dsp_expand.h lays them out; or the reason why there is no exact fast
 * requantisation.
 */
function expansion({ attrs, ins, outs }: NodeView<'conv2d'>): Int32Array | string {
  const [x, weights, bias] = ins as [Value, Value, Value | null | undefined];
  const [channels, , , inChannels] = weights.shape as [number, number, number, number];
  const data = convolutionData(x, weights, bias, outs[0]!, channels);
  const fast = fastChannels(
    {
      weights: weights.data as Int8Array,
      bias: data.bias.data as Int32Array,
      multiplier: data.multiplier.data as Int32Array,
      shift: data.shift.data as Int8Array,
    },
    zeroPointOf(x),
    zeroPointOf(outs[0]!),
    attrs.clamp,
  );
  if (typeof fast === 'string') return fast;
  const { weights: w, multiplier, shift } = fast;
  const folded = foldZeroPoint(fast.bias, w, zeroPointOf(x));
  const stream = new Int32Array(Math.ceil(channels / 2) * (5 + inChannels / 2));
  let at = 0;
  for (let a = 0; a < channels; a += 2) {
    const b = Math.min(a + 1, channels - 1);
    stream.set([folded[a]!, folded[b]!, multiplier[a]!, multiplier[b]!], at);
    stream[at + 4] = -shift[a]! | (-shift[b]! << 8);
    at += 5;
    for (let i = 0; i < inChannels; i += 4) {
      for (const first of [i, i + 1]) {
        stream[at++] = bytesOf([a, b, a, b].map((c, j) => w[c * inChannels + first + (j & 2)]!));
      }
    }
  }
  return stream;
}

/** Four int8 as a word, the first in the lowest bits. */
function bytesOf(values: readonly number[]): number {
  return values.reduce((word, value, i) => word | ((value & 255) << (8 * i)), 0);
}
