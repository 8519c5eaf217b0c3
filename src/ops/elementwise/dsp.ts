/** Kernels of ADD, SUB and MUL for the DSP extension; exact where the fast requantisation is. */
import type { ClampAttributes } from '../../ir/attributes.ts';
import type { Value } from '../../ir/types.ts';
import type { Kernel, NodeView } from '../definition.ts';
import { fastRequantizeProblem, isRelu } from '../fast-requantize.ts';
import { ARITHMETIC, type ElementwiseOp } from './arithmetic.ts';
import { bindRows, rowGeometry } from './rows.ts';

type Numbers = Readonly<Record<string, number>>;

/** The kernels to try before the portable one. */
export function elementwiseDspKernels<K extends ElementwiseOp>(op: K): readonly Kernel<K>[] {
  if (op === 'add' || op === 'sub') return [sumKernel(op)];
  return op === 'mul' ? [mulKernel(op)] : [];
}

function sumKernel<K extends ElementwiseOp>(op: K): Kernel<K> {
  return {
    name: 'sum_dsp_s8',
    isa: 'dsp',
    why: 'rows of the same layout: the operand of the larger scale is only shifted',
    refuses(view) {
      const { width, a_channel_stride, b_channel_stride } = shapeOf(view);
      if (width !== 1 || a_channel_stride !== 1 || b_channel_stride !== 1) return 'an operand is broadcast';
      return outputProblem(2 * LARGEST_DIFFERENCE * COMMON_SCALE, parametersOf(op, view));
    },
    bind: (view) => [bindRows(view, sumGeometry(op, view))],
  };
}

function mulKernel<K extends ElementwiseOp>(op: K): Kernel<K> {
  return {
    name: 'mul_dsp_s8',
    isa: 'dsp',
    why: 'four channels at a time, their factors for each pixel or for all',
    refuses(view) {
      const { a_channel_stride, b_channel_stride } = shapeOf(view);
      if (a_channel_stride !== 1 || b_channel_stride !== 1)
        return 'an operand has one value for all channels';
      return outputProblem(LARGEST_DIFFERENCE ** 2, parametersOf(op, view));
    },
    bind: (view) => [bindRows(view, mulGeometry(op, view))],
  };
}

/** |q - Z| of int8. */
const LARGEST_DIFFERENCE = 255;
/** What an element of the larger scale is multiplied with before the sum: 2^20 * (1 / 2). */
const COMMON_SCALE = 2 ** 19;

function outputProblem(reach: number, { out_multiplier, out_shift }: Numbers): string | undefined {
  return fastRequantizeProblem(reach, [out_multiplier!], [out_shift!]);
}

interface Part {
  readonly zeroPoint: number;
  readonly multiplier: number;
  readonly shift: number;
  /** 1 or -1. */
  readonly sign: number;
}

/** The operands by scale. A multiplier of 2^30 and a shift of 0, which the larger scale always has, are a factor of 1/2. */
function partsOf(parameters: Numbers, subtracts: boolean): { fine: Part; coarse: Part; fineSlot: number } {
  const part = (name: 'a' | 'b', sign: number): Part => ({
    zeroPoint: parameters[`${name}_zero_point`]!,
    multiplier: parameters[`${name}_multiplier`]!,
    shift: parameters[`${name}_shift`]!,
    sign,
  });
  const [a, b] = [part('a', 1), part('b', subtracts ? -1 : 1)];
  const bIsCoarse = b.multiplier === 2 ** 30 && b.shift === 0;
  return bIsCoarse ? { fine: a, coarse: b, fineSlot: 0 } : { fine: b, coarse: a, fineSlot: 1 };
}

function sumGeometry<K extends ElementwiseOp>(op: K, view: NodeView<K>): Numbers {
  const parameters = parametersOf(op, view);
  const { fine, coarse, fineSlot } = partsOf(parameters, op === 'sub');
  // The kernel always shifts right: a half, as of equal scales, is a quarter of twice the value. (A multiplier of 0, of
  // scales too far apart, has no shift either, and gives 0 any way.)
  const halves = fine.shift === 0;
  const fineFactor = halves ? 8 * COMMON_SCALE : 4 * COMMON_SCALE;
  const coarseFactor = 2 * COMMON_SCALE * coarse.sign;
  return {
    size: shapeOf(view).channels!,
    fine: fineSlot,
    fine_factor: fineFactor,
    fine_offset: -fine.zeroPoint * fineFactor,
    fine_multiplier: fine.multiplier,
    fine_e: halves ? 1 : -fine.shift,
    fine_sign: fine.sign,
    coarse_factor: coarseFactor,
    coarse_offset: -coarse.zeroPoint * coarseFactor,
    ...outputGeometry(parameters),
  };
}

function mulGeometry<K extends ElementwiseOp>(op: K, view: NodeView<K>): Numbers {
  const { a_zero_point, b_zero_point, ...output } = parametersOf(op, view);
  const { a_channel_stride, b_channel_stride, ...shape } = shapeOf(view);
  return {
    ...shape,
    a_zero_point: a_zero_point!,
    b_zero_point: b_zero_point!,
    ...outputGeometry(output),
  };
}

function outputGeometry({ out_multiplier, out_shift, out_zero_point, out_min, out_max }: Numbers): Numbers {
  return {
    out_multiplier: out_multiplier!,
    out_e: -out_shift!,
    out_zero_point: out_zero_point!,
    out_is_relu: isRelu(out_zero_point!, [out_min!, out_max!]) ? 1 : 0,
    out_min: out_min!,
    out_max: out_max!,
  };
}

function parametersOf<K extends ElementwiseOp>(op: K, { attrs, ins, outs }: NodeView<K>): Numbers {
  const [a, b] = ins as [Value, Value];
  return ARITHMETIC[op].parameters({ a, b, y: outs[0]!, attrs: attrs as Partial<ClampAttributes> });
}

function shapeOf(view: NodeView<ElementwiseOp>): Numbers {
  return rowGeometry(view);
}
