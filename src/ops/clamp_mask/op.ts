import { clampProblem } from '../bytes.ts';
import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { eachRow, planeOf, rowsOf } from '../rows.ts';
import { sameShape } from '../strided.ts';

type View = NodeView<'clamp_mask'>;

/** Where a gradient passes an activation that is the clamp of its operator. */
export const clampMask: OpDef<'clamp_mask'> = {
  name: 'clamp_mask',
  verify,
  macs: () => 0,
  reference,
  kernels: [
    {
      name: 'clamp_mask_dsp_s8',
      isa: 'dsp',
      shared: true,
      why: 'four elements a comparison',
      refuses: () => undefined,
      bind: (view) => [bind(view)],
    },
    {
      name: 'clamp_mask_s8',
      isa: 'portable',
      shared: true,
      why: 'one bit after the other',
      refuses: () => undefined,
      bind: (view) => [bind(view)],
    },
  ],
};

/** The shape of the mask of an activation [N, H, W, C]: the bits of each row begin with a byte of their own. */
export function maskShape([batch, height, width, channels]: readonly number[]): number[] {
  return [batch!, height!, 1, Math.ceil((width! * channels!) / 8)];
}

function verify({ attrs, ins, outs }: View): Problem | undefined {
  const [y, mask] = [ins[0], outs[0]!];
  if (y?.dtype !== 'int8' || mask.dtype !== 'uint8') {
    return { code: 'RV2003', message: 'a mask is uint8, of an activation in int8' };
  }
  if (y.shape.length !== 4 || !sameShape(mask.shape, maskShape(y.shape))) {
    return { code: 'RV2005', message: `the mask is [${mask.shape}] for an activation [${y.shape}]` };
  }
  if (!attrs.clamp.every(Number.isInteger) || attrs.clamp.length !== 2) {
    return { code: 'RV2002', message: `the bounds [${attrs.clamp}] are not two integers` };
  }
  return clampProblem(attrs.clamp);
}

/** Bit i of a row (byte i / 8, bit i % 8, the lowest first) is 1 where element i of it lies strictly inside the clamp. */
function reference({ attrs, ins, outs }: ReferenceView<'clamp_mask'>): void {
  const [y, mask] = [ins[0]!, outs[0]!];
  const [lowest, highest] = attrs.clamp;
  const { count, bytes: elements } = rowsOf(y);
  const { bytes } = rowsOf(mask);
  const bits = mask.data as Uint8Array;
  for (let row = 0; row < count; ++row) {
    for (let i = 0; i < elements; ++i) {
      const value = y.data[row * elements + i]!;
      const at = row * bytes + (i >> 3);
      if (value > lowest && value < highest) bits[at] = bits[at]! | (1 << (i & 7));
    }
  }
}

function bind({ attrs, ins, outs }: View): CallSpec {
  const [y, mask] = [ins[0]!, outs[0]!];
  const { width, channels } = planeOf(y.shape);
  const output = eachRow(mask);
  return {
    geometry: { elements: width * channels, lowest: attrs.clamp[0], highest: attrs.clamp[1] },
    data: {},
    firings: output.rows.length,
    slots: [{ operand: 0, ...eachRow(y) }],
    output,
  };
}
