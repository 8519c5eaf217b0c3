/** Rows of the table for isa `simd`: ADD and MUL, where neighbours in the result come from neighbours in the operands. */
import { quantizeMultiplier } from '../../core/fixedpoint.ts';
import type { Value } from '../../ir/types.ts';
import type { Kernel, NodeView } from '../definition.ts';
import { LANES, type OutputRange, scalingFields } from '../simd.ts';
import {
  bounds,
  type ElementwiseOp,
  INPUT_SCALE,
  type Operands,
  productMultiplier,
  sumMultipliers,
  zeroPoints,
} from './arithmetic.ts';
import { bindRows, rowGeometry } from './rows.ts';

type Fields = Readonly<Record<string, number>>;

/** Largest magnitude of an element less its zero point. */
const REACH = 255;
const UNLIMITED: OutputRange = { zeroPoint: 0, clamp: [-(2 ** 31), 2 ** 31] };

/** The fields of the geometry beyond the shape, or the reason why there are none. */
const PARAMETERS: Partial<Readonly<Record<ElementwiseOp, (operands: Operands) => Fields | string>>> = {
  add(operands) {
    const { a, b, out } = sumMultipliers(operands);
    const reach = REACH * INPUT_SCALE;
    return joined(
      scalingFields('a_', quantizeMultiplier(a), reach, UNLIMITED, INPUT_SCALE),
      scalingFields('b_', quantizeMultiplier(b), reach, UNLIMITED, INPUT_SCALE),
      // Each operand was halved at least, give or take its rounding.
      scalingFields('out_', quantizeMultiplier(out), reach + 2, outputOf(operands)),
      zeroPoints(operands),
      bounds(operands),
    );
  },
  mul(operands) {
    const multiplier = quantizeMultiplier(productMultiplier(operands));
    return joined(
      scalingFields('out_', multiplier, REACH * REACH, outputOf(operands)),
      zeroPoints(operands),
      bounds(operands),
    );
  },
};

export function elementwiseSimdKernels<K extends ElementwiseOp>(op: K): readonly Kernel<K>[] {
  const parameters = PARAMETERS[op];
  if (parameters === undefined) return [];
  return [
    {
      name: `${op}_s8_simd`,
      isa: 'simd',
      why: 'eight elements at a time',
      shared: true,
      refuses(view) {
        const { channels, a_channel_stride, b_channel_stride } = rowGeometry(view);
        if (a_channel_stride !== 1 || b_channel_stride !== 1) return 'an operand has one element for many';
        if (channels < LANES) return 'there are less than eight neighbours';
        const found = parameters(operandsOf(view));
        return typeof found === 'string' ? found : undefined;
      },
      bind(view) {
        const { width, channels, a_pixel_stride, b_pixel_stride } = rowGeometry(view);
        const found = parameters(operandsOf(view)) as Fields;
        return [bindRows(view, { width, channels, a_pixel_stride, b_pixel_stride, ...found })];
      },
    },
  ];
}

function operandsOf({ attrs, ins, outs }: NodeView<ElementwiseOp>): Operands {
  const [a, b] = ins as [Value, Value];
  return { a, b, y: outs[0]!, attrs };
}

function outputOf(operands: Operands): OutputRange {
  const { out_zero_point, out_min, out_max } = { ...zeroPoints(operands), ...bounds(operands) };
  return { zeroPoint: out_zero_point!, clamp: [out_min!, out_max!] };
}

/** All fields, or the first reason. `out_zero_point` lies in `out_offset`. */
function joined(...parts: readonly (Fields | string)[]): Fields | string {
  const reason = parts.find((part) => typeof part === 'string');
  if (reason !== undefined) return reason;
  const { out_zero_point: _, ...fields } = Object.assign({}, ...parts) as Fields;
  return fields;
}
