/** Operands and attributes that every update of a parameter has. */
import type { DType } from '../core/dtype.ts';
import { elementCount, type Value } from '../ir/types.ts';
import type { Problem } from './definition.ts';
import { firstProblem } from './quantization.ts';

type Operand = Value | null | undefined;

/** The operands of a step as values. */
export interface StepValues {
  readonly random: Operand;
  readonly rate: Operand;
  readonly velocity: Operand;
  readonly pending: Operand;
  readonly apply: Operand;
}

/** The problem with the step of a parameter of `count` elements. `output`: how many of them were clamped. */
export function stepProblem(
  { random, rate, velocity, pending, apply }: StepValues,
  momentum: number,
  count: number,
  output: Value,
): Problem | undefined {
  return firstProblem(
    stateProblem(random, 'int32', 1, 'the generator'),
    holds(rate, 'float32', 1) ? undefined : { code: 'RV2003', message: 'the rate is not one float32' },
    velocity ? stateProblem(velocity, 'int32', count, 'the velocity') : undefined,
    pending ? stateProblem(pending, 'int32', count, 'the pending gradient') : undefined,
    !apply || holds(apply, 'int32', 1)
      ? undefined
      : { code: 'RV2003', message: 'whether to apply is not one int32' },
    Number.isInteger(momentum) && momentum >= 0 && momentum < 1 << 15
      ? undefined
      : { code: 'RV2002', message: `a momentum of ${momentum} / 32768` },
    holds(output, 'int32', 1) ? undefined : { code: 'RV2003', message: 'the result is not one int32' },
  );
}

/** The problem with the state of the bits below `count` int8 weights. */
export function residualProblem(residual: Operand, bits: number, count: number): Problem | undefined {
  if (bits === 0 && !residual) return undefined;
  if (bits === 4 || bits === 8)
    return stateProblem(residual, 'uint8', Math.ceil((count * bits) / 8), 'the residual');
  return { code: 'RV2002', message: `residuals of ${bits} bits` };
}

/** The problem with a state of so many elements. */
export function stateProblem(value: Operand, dtype: DType, count: number, what: string): Problem | undefined {
  if (value?.role === 'state' && holds(value, dtype, count)) return undefined;
  return { code: 'RV2003', message: `${what} is not a state of ${count} ${dtype}` };
}

function holds(value: Operand, dtype: DType, count: number): boolean {
  return value?.dtype === dtype && elementCount(value.shape) === count;
}
